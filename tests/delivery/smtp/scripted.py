"""An SMTP server that does what a test tells it to, at any step, and keeps exactly what it received.

async with ScriptedServer(On("RCPT", reply="550 5.1.1 no such user", match=b"bob@")) as server: ...
with in_thread(ScriptedServer(On(".", then="close"))) as server: ...    # for tests that drive other processes
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Call = Callable[[Coroutine[Any, Any, Any]], Any]

DEFAULT_FEATURES = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "SIZE 10485760")
LONGEST_LINE = 1 << 20
NORMAL_REPLIES = {
    "CONNECT": "220 scripted ESMTP",
    "HELO": "250 scripted",
    "STARTTLS": "454 4.7.0 no TLS here",
    "AUTH": "235 2.7.0 ok",
    "RSET": "250 2.0.0 ok",
    "NOOP": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
    "LONE": "554 5.5.1 no valid recipients",
}


@dataclass
class On:
    """One rule: what to do at a step instead of the normal.

    `verb`: CONNECT, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, BODY (when `at_byte` bytes of a body have come in),
    "." (its end), LONE (a dot with no recipient left), BDAT, RSET, NOOP, QUIT. The rule applies to lines that
    contain `match`, on the connection number `connection` (from 0; None: any), after `skip` of them, `times` times
    (None: always). `then`: "go on"; "close" (after the reply, if any); "reset" (the same, by RST); "half-close"
    (say no more, but read on); "freeze" (never do anything again). With `until` it answers when that is set.
    """

    verb: str
    reply: str | bytes | None = None
    match: bytes = b""
    connection: int | None = None
    skip: int = 0
    times: int | None = None
    delay: float = 0.0
    then: str = "go on"
    at_byte: int = 0
    until: threading.Event | None = None

    def applies(self, verb: str, line: bytes, connection: int) -> bool:
        """Whether this is the rule for this step; counts it if so."""
        if verb != self.verb or self.match not in line or self.connection not in (None, connection):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return self.times is None or self.times >= 0


@dataclass(frozen=True)
class Received:
    """A message that came in whole, `at` a monotonic time. `data` is unstuffed; `reply` b"" if nothing was answered."""

    sender: bytes
    recipient: bytes
    data: bytes
    connection: int
    reply: bytes
    parameters: bytes = b""
    at: float = 0.0

    @property
    def is_accepted(self) -> bool:
        """Whether the server answered 2yz, so that it must deliver."""
        return self.reply.startswith(b"2")


class ScriptedServer:
    """Listens on a port of 127.0.0.1 while used as an async context manager; with `tls`, encrypted from the first byte.

    `received`: messages that came in whole, in order. `lines`: every command with its connection's number.
    `n_broken`: bodies that broke off. `n_lone_dots`: final dots of messages without a recipient.
    """

    def __init__(
        self,
        *rules: On,
        features: tuple[str, ...] = DEFAULT_FEATURES,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.rules = list(rules)
        self.tls = tls
        self.features = features
        self.port = port
        self.received: list[Received] = []
        self.lines: list[tuple[int, bytes]] = []
        self.peers: list[str] = []
        self.n_broken = self.n_lone_dots = self.n_open = self.most_open = 0
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def accepted(self) -> list[bytes]:
        """The recipients of the messages that were answered with 2yz."""
        return [message.recipient for message in self.received if message.is_accepted]

    @property
    def n_connections(self) -> int:
        """Connections made so far."""
        return len(self.peers)

    def verbs(self, connection: int = 0) -> list[str]:
        """The commands of one connection, in order."""
        return [line.split()[0].decode().upper() for number, line in self.lines if number == connection]

    def rule_for(self, verb: str, line: bytes, connection: int) -> On:
        """The first rule that applies, or one that does the normal."""
        return next((rule for rule in self.rules if rule.applies(verb, line, connection)), On(verb))

    async def __aenter__(self) -> ScriptedServer:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=LONGEST_LINE, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.n_open += 1
        self.most_open = max(self.most_open, self.n_open)
        self.peers.append(writer.get_extra_info("peername")[0])
        try:
            await _Talk(self, reader, writer, len(self.peers) - 1).run()
        except (_Over, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.n_open -= 1
            self._talks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Over(Exception):
    pass


class _Talk:
    """One connection's conversation."""

    def __init__(
        self, server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._number = number
        self._is_mute = False
        self._sender: bytes | None = None
        self._recipient: bytes | None = None
        self._parameters = b""

    async def run(self) -> None:
        await self._answer("CONNECT", b"", NORMAL_REPLIES["CONNECT"])
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\r\n"):
                raise _Over
            line = line.removesuffix(b"\r\n")
            self._server.lines.append((self._number, line))
            await self._take(line)

    async def _take(self, line: bytes) -> None:
        verb = line.split(b" ")[0].decode("ascii", "replace").upper()
        special = {"EHLO": self._ehlo, "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data, "BDAT": self._bdat}
        if verb in special:
            await special[verb](line)
            return
        await self._answer(verb, line, NORMAL_REPLIES.get(verb, "500 5.5.2 unknown command"))
        if verb == "RSET":
            self._sender = self._recipient = None
        if verb == "QUIT":
            raise _Over

    async def _ehlo(self, line: bytes) -> None:
        lines = ["scripted", *self._server.features]
        await self._answer("EHLO", line, "".join(f"250-{text}\r\n" for text in lines[:-1]) + f"250 {lines[-1]}")

    async def _mail(self, line: bytes) -> None:
        address, parameters = _address(line)
        reply = await self._answer(
            "MAIL", line, "503 5.5.1 nested MAIL" if self._sender is not None else "250 2.1.0 ok"
        )
        if reply.startswith(b"2"):
            self._sender, self._parameters = address, parameters

    async def _rcpt(self, line: bytes) -> None:
        normal = "503 5.5.1 need MAIL" if self._sender is None else "250 2.1.5 ok"
        reply = await self._answer("RCPT", line, normal)
        if reply.startswith(b"2"):
            self._recipient = _address(line)[0]

    async def _data(self, line: bytes) -> None:
        normal = "354 go on" if self._recipient is not None else "554 5.5.1 no valid recipients"
        reply = await self._answer("DATA", line, normal)
        if reply.startswith(b"354"):
            await self._end(await self._read_body())

    async def _bdat(self, line: bytes) -> None:
        data = await self._reader.readexactly(int(line.split()[1]))
        if self._recipient is None:
            await self._answer("BDAT", line, "503 5.5.1 no valid recipients")
            return
        await self._end(data)

    async def _read_body(self) -> bytes:
        body = bytearray()
        rule = self._server.rule_for("BODY", self._recipient or b"", self._number)
        while True:
            line = await self._reader.readline()
            if line == b".\r\n":
                return bytes(body)
            if not line.endswith(b"\n"):
                self._server.n_broken += 1
                raise _Over
            body += line.removeprefix(b".") if line.startswith(b"..") else line
            if (rule.reply is not None or rule.then != "go on") and len(body) >= rule.at_byte:
                self._server.n_broken += 1
                await self._do(rule, "")
                raise _Over

    async def _end(self, data: bytes) -> None:
        sender, recipient = self._sender, self._recipient
        self._sender = self._recipient = None
        if sender is None or recipient is None:
            self._server.n_lone_dots += 1
            await self._answer("LONE", b"", NORMAL_REPLIES["LONE"])
            return
        # Like a real server it has the message before it says so.
        at = len(self._server.received)
        message = Received(sender, recipient, data, self._number, b"", self._parameters, time.monotonic())
        self._server.received.append(message)
        rule = self._server.rule_for(".", recipient, self._number)
        reply = _reply_of(rule, "250 2.0.0 ok: queued as Q" + str(at))
        if not self._is_mute:
            self._server.received[at] = replace(message, reply=reply)
        await self._do(rule, "250 2.0.0 ok: queued as Q" + str(at))

    async def _answer(self, verb: str, line: bytes, normal: str) -> bytes:
        rule = self._server.rule_for(verb, line, self._number)
        await self._do(rule, normal)
        return _reply_of(rule, normal)

    async def _do(self, rule: On, normal: str) -> None:
        if rule.delay:
            await asyncio.sleep(rule.delay)
        while rule.until is not None and not rule.until.is_set():
            await asyncio.sleep(0.01)
        reply = _reply_of(rule, normal)
        if reply and not self._is_mute:
            self._writer.write(reply)
            await self._writer.drain()
        if rule.then == "freeze":
            await asyncio.Event().wait()
        if rule.then == "half-close":
            self._is_mute = True
            self._writer.write_eof()
        if rule.then == "reset":
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if rule.then in ("close", "reset"):
            raise _Over


def _reply_of(rule: On, normal: str) -> bytes:
    """The bytes to answer with: what the rule says, nothing where it only ends the connection, else the normal."""
    reply = rule.reply if rule.reply is not None else normal if rule.then == "go on" else ""
    raw = reply if isinstance(reply, bytes) else reply.encode()
    return raw if isinstance(reply, bytes) or not raw else raw + b"\r\n"


def _address(line: bytes) -> tuple[bytes, bytes]:
    address, _, parameters = line.partition(b"<")[2].partition(b">")
    return address, parameters.strip()


def server_context(certificate: Path) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@contextlib.contextmanager
def loop_in_thread() -> Iterator[Call]:
    """An event loop in a thread of its own; gives a function that runs a coroutine there and waits for its result."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextlib.contextmanager
def in_thread(server: ScriptedServer) -> Iterator[ScriptedServer]:
    """Serve from a thread of its own, for tests that block or drive other processes."""
    with loop_in_thread() as call:
        call(server.__aenter__())
        yield server
        call(server.__aexit__())
