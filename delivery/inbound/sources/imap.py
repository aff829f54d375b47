"""Intake by IMAP (RFC 3501): a UID cursor says what is new, IDLE (RFC 2177) says when."""

from __future__ import annotations

import imaplib
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

from .arrival import MAX_RAW, Arrival, Receipt

Item = TypeVar("Item")
AfterDone = Literal["keep", "seen", "delete"]

_FLAG_OF = {"seen": r"(\Seen)", "delete": r"(\Deleted)"}
# Without IDLE the mailbox is looked at this often, in seconds.
_POLL = 60.0


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """Where and as whom to log in, and which folder to read. `timeout` in seconds counts for each answer."""

    host: str
    user: str
    password: str
    port: int = 993
    tls: bool = True
    folder: str = "INBOX"
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class UidCursor:
    """The last UID recorded, and the UIDVALIDITY it belongs to (RFC 3501 section 2.3.1.1)."""

    validity: int = 0
    uid: int = 0


class ImapSource:
    """New mails of one folder, pass after pass over one connection.

    `cursor` is to be stored after each pass; a mailbox that was built anew (other UIDVALIDITY) is read from its start.
    `after`: what becomes of a recorded mail. "delete" expunges it alone where the server has UIDPLUS (RFC 4315), and
    only flags it elsewhere, because EXPUNGE would remove what others have flagged. Raises imaplib.IMAP4.error and
    OSError; the next pass connects again.
    """

    def __init__(self, account: ImapAccount, cursor: UidCursor, after: AfterDone = "keep") -> None:
        self.cursor = cursor
        self._account = account
        self._after = after
        self._connection: imaplib.IMAP4 | None = None
        self._capabilities: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[tuple[Arrival, Receipt]]:
        connection = self._connected()
        try:
            for uid in self._new_uids(connection):
                raw = _fetched(connection, uid)
                if raw is not None:
                    yield Arrival(raw[:MAX_RAW], truncated=len(raw) > MAX_RAW), _UidReceipt(self, uid, len(raw))
        except (imaplib.IMAP4.error, OSError):
            self.close()
            raise

    def wait(self, seconds: float) -> bool:
        """Waits until the server tells of a new mail; False when it stayed silent for `seconds` (at most 29 minutes).

        A silent wait ends with a closed connection: Python's socket files cannot be read again after a timeout.
        """
        connection = self._connected()
        if "IDLE" not in self._capabilities:
            time.sleep(min(seconds, _POLL))
            return True
        try:
            connection.socket().settimeout(seconds)
            _idle(connection)
            connection.socket().settimeout(self._account.timeout)
        except TimeoutError:
            self.close()
            return False
        except (imaplib.IMAP4.error, OSError):
            self.close()
            raise
        return True

    def close(self) -> None:
        """Ends the connection; a broken one is dropped."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.shutdown()

    def settle(self, uid: int, *, complete: bool) -> None:
        """Called by receipts: flags or removes one recorded mail and moves the cursor."""
        flag = _FLAG_OF.get(self._after if complete else "seen")
        if flag and self._after != "keep":
            connection = self._connected()
            _expect(connection.uid("STORE", str(uid), "+FLAGS.SILENT", flag))
            if flag == _FLAG_OF["delete"] and "UIDPLUS" in self._capabilities:
                _expect(connection.uid("EXPUNGE", str(uid)))
        self.cursor = UidCursor(self.cursor.validity, max(uid, self.cursor.uid))

    def _connected(self) -> imaplib.IMAP4:
        if self._connection is None:
            self._connection = _connect(self._account)
            # Servers offer more after login than before it, where imaplib asks.
            told = _expect(self._connection.capability())
            self._capabilities = frozenset(b" ".join(told).decode("ascii", "replace").upper().split())
        return self._connection

    def _new_uids(self, connection: imaplib.IMAP4) -> list[int]:
        _expect(connection.select(_quoted(self._account.folder)))
        validity = int((connection.response("UIDVALIDITY")[1][0] or b"0").split()[0])
        if validity != self.cursor.validity:
            self.cursor = UidCursor(validity, 0)
        found = _expect(connection.uid("SEARCH", f"UID {self.cursor.uid + 1}:*"))
        # "n:*" always names the last mail, also when its UID is below n.
        return sorted(uid for uid in map(int, b" ".join(filter(None, found)).split()) if uid > self.cursor.uid)


@dataclass(frozen=True, slots=True)
class _UidReceipt:
    source: ImapSource
    uid: int
    size: int

    def done(self) -> None:
        self.source.settle(self.uid, complete=self.size <= MAX_RAW)

    def failed(self) -> None:
        """The cursor stays below this mail."""


def _connect(account: ImapAccount) -> imaplib.IMAP4:
    if account.tls:
        context = ssl.create_default_context()
        connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            account.host, account.port, ssl_context=context, timeout=account.timeout
        )
    else:
        connection = imaplib.IMAP4(account.host, account.port, timeout=account.timeout)
    try:
        _expect(connection.login(account.user, account.password))
    except BaseException:
        connection.shutdown()
        raise
    return connection


def _fetched(connection: imaplib.IMAP4, uid: int) -> bytes | None:
    """The mail up to one byte over MAX_RAW, without marking it as seen; None when it is gone meanwhile."""
    data = _expect(connection.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAX_RAW + 1}>)"))
    return next((item[1] for item in data if isinstance(item, tuple)), None)


def _expect(answer: tuple[str, list[Item]]) -> list[Item]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"{status}: {data!r}"[:300])
    return data


def _quoted(name: str) -> str:
    """A quoted string (RFC 3501 section 4.3)."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _idle(connection: imaplib.IMAP4) -> None:
    """Stays in IDLE until the server says EXISTS; imaplib has had it only since Python 3.14."""
    connection.send(b"IDLE1 IDLE\r\n")
    told = False
    while not told:
        line = connection.readline()
        if not line or re.match(rb"IDLE1 (NO|BAD)", line):
            raise imaplib.IMAP4.abort(f"IDLE was refused: {line!r}"[:300])
        told = b" EXISTS" in line.upper()
    connection.send(b"DONE\r\n")
    while not line.startswith(b"IDLE1 "):
        line = connection.readline()
        if not line:
            raise imaplib.IMAP4.abort("the server closed the connection")
