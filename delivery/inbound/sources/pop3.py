"""Intake by POP3 (RFC 1939). What is recorded is deleted at the end of the session, or left and remembered by UIDL.

poplib is not used: it gives up on lines over 2,048 bytes, which bounces do quote, and has no bound on a mail.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from .arrival import MAX_RAW, Arrival, Receipt

_MAX_LINE = 1024 * 1024


class Pop3Error(Exception):
    """The server said -ERR, or something that is no POP3; its words are the message."""


@dataclass(frozen=True, slots=True)
class Pop3Account:
    """Where and as whom to log in. `timeout` in seconds counts for each answer."""

    host: str
    user: str
    password: str
    port: int = 995
    tls: bool = True
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Pop3Source:
    """One session. `known(uidl)` says what was recorded before; `delete` removes what is recorded.

    A DELE counts only when QUIT is answered (RFC 1939 section 6): a session that breaks deletes nothing, and its mails
    come again. Raises Pop3Error and OSError.
    """

    account: Pop3Account
    known: Callable[[str], bool]
    delete: bool = True

    def __iter__(self) -> Iterator[tuple[Arrival, Receipt]]:
        session = _Session(self.account)
        try:
            session.log_in(self.account.user, self.account.password)
            for number, uid in session.listed():
                if not self.known(uid):
                    raw, truncated = session.retrieve(number)
                    yield Arrival(raw, truncated=truncated), _PopReceipt(session, number, self.delete and not truncated)
        finally:
            # Also when the consumer stops early: what it has settled counts.
            with suppress(Pop3Error, OSError):
                session.command("QUIT")
            session.close()


@dataclass(frozen=True, slots=True)
class _PopReceipt:
    session: _Session
    number: int
    delete: bool

    def done(self) -> None:
        if self.delete:
            self.session.command(f"DELE {self.number}")

    def failed(self) -> None:
        """Without DELE the mail stays."""


class _Session:
    def __init__(self, account: Pop3Account) -> None:
        raw = socket.create_connection((account.host, account.port), account.timeout)
        try:
            context = ssl.create_default_context() if account.tls else None
            self._socket = context.wrap_socket(raw, server_hostname=account.host) if context else raw
            self._file = self._socket.makefile("rb")
            self._answer()
        except BaseException:
            raw.close()
            raise

    def log_in(self, user: str, password: str) -> None:
        self.command(f"USER {user}")
        self.command(f"PASS {password}")

    def command(self, line: str) -> None:
        if "\r" in line or "\n" in line:
            raise Pop3Error("a command has no line ends")
        self._socket.sendall(line.encode() + b"\r\n")
        self._answer()

    def listed(self) -> list[tuple[int, str]]:
        """(number, UIDL) of all mails."""
        self.command("UIDL")
        pairs = [line.split(maxsplit=1) for line in self._lines()]
        return [(int(pair[0]), pair[1].decode("ascii", "replace").strip()) for pair in pairs if len(pair) == 2]

    def retrieve(self, number: int) -> tuple[bytes, bool]:
        """The mail with CRLF line ends, and whether it was cut at MAX_RAW bytes."""
        self.command(f"RETR {number}")
        kept: list[bytes] = []
        size = 0
        for line in self._lines():
            size += len(line)
            if size <= MAX_RAW:
                kept.append(line)
        return b"".join(kept), size > MAX_RAW

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _answer(self) -> None:
        line = self._file.readline(_MAX_LINE)
        if not line.startswith(b"+OK"):
            raise Pop3Error(line.decode("utf-8", "replace").strip()[:300] or "the server closed the connection")

    def _lines(self) -> Iterator[bytes]:
        """The lines of a multi-line answer without the dots that were stuffed (RFC 1939 section 3)."""
        at_start = True
        while True:
            line = self._file.readline(_MAX_LINE)
            if not line:
                raise Pop3Error("the server closed the connection")
            if at_start and line.rstrip(b"\r\n") == b".":
                return
            yield line[1:] if at_start and line.startswith(b".") else line
            at_start = line.endswith(b"\n")
