"""Intake by a small SMTP or LMTP listener (RFC 5321, RFC 2033): a mail is acknowledged only when it is recorded.

It takes mail for the addresses that `accepts` knows and relays nothing. Each message waits for its receipt: 250 after
`done()`, 451 after `failed()`, when nobody records within `patience`, or when too many wait, so that the sender's
queue keeps it.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from .arrival import MAX_RAW, Arrival, Receipt

_MAX_WAITING = 100
_MAX_LINE = 1024 * 1024
_RECORDED = "250 2.0.0 Recorded"
_TRY_AGAIN = "451 4.3.0 Not recorded, try again later"
_NO_SUCH_ADDRESS = "550 5.1.1 No such address here"


class _Smtp(SMTP):
    line_length_limit = _MAX_LINE


class _Lmtp(LMTP):
    line_length_limit = _MAX_LINE


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """`port` 0 picks a free one. `patience`: seconds that a message waits to be recorded.

    Senders wait ten minutes for the answer to the final dot (RFC 5321 section 4.5.3.2.6).
    """

    host: str = "127.0.0.1"
    port: int = 0
    lmtp: bool = False
    patience: float = 300.0


@dataclass  # no slots: aiosmtpd reads every attribute, which Python before 3.11.3 cannot (gh-102069)
class MailListener:
    """Listens in a thread of its own between `with` and its end; iterating gives arrivals until then.

    Several threads may iterate at once. Entering raises OSError when the port cannot be had.
    """

    accepts: Callable[[str], bool]
    settings: ListenerSettings = field(default_factory=ListenerSettings)
    port: int = 0
    _waiting: queue.Queue[tuple[Arrival, Receipt] | None] = field(default_factory=queue.Queue)
    _started: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _ended: asyncio.Event | None = None
    _thread: threading.Thread | None = None
    _problem: OSError | None = None

    def __enter__(self) -> MailListener:
        # aiosmtpd logs every address at INFO and every line at DEBUG.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="mail listener", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._problem is not None:
            self._thread.join()
            raise self._problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._ended is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def __iter__(self) -> Iterator[tuple[Arrival, Receipt]]:
        while (item := self._waiting.get()) is not None:
            yield item
        self._waiting.put(None)  # for the other threads that iterate

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Hook of aiosmtpd: the answer to one RCPT TO."""
        if not self.accepts(address):
            return _NO_SUCH_ADDRESS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Hook of aiosmtpd: the answer to the final dot, one line per recipient in LMTP."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        arrival = Arrival(content, (envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos))
        answer = _RECORDED if await self._recorded(arrival) else _TRY_AGAIN
        return "\r\n".join([answer] * (len(envelope.rcpt_tos) if self.settings.lmtp else 1))

    async def _recorded(self, arrival: Arrival) -> bool:
        if self._waiting.qsize() >= _MAX_WAITING:
            return False
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[bool] = loop.create_future()
        self._waiting.put((arrival, _FutureReceipt(loop, settled)))
        try:
            return await asyncio.wait_for(settled, self.settings.patience)
        except TimeoutError:
            return False

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._loop.create_server(self._protocol, self.settings.host, self.settings.port)
        except OSError as problem:
            self._problem = problem
            self._started.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._ended.wait()
        server.close()
        self._waiting.put(None)

    def _protocol(self) -> SMTP:
        options: dict[str, Any] = {"data_size_limit": MAX_RAW, "enable_SMTPUTF8": True, "ident": "mail intake"}
        kind = _Lmtp if self.settings.lmtp else _Smtp
        return kind(self, loop=self._loop, **options)


@dataclass(frozen=True, slots=True)
class _FutureReceipt:
    loop: asyncio.AbstractEventLoop
    settled: asyncio.Future[bool]

    def done(self) -> None:
        self._settle(True)

    def failed(self) -> None:
        self._settle(False)

    def _settle(self, recorded: bool) -> None:
        # The loop is closed (RuntimeError) when the listener has ended: the sender got no answer and sends again.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._set, recorded)

    def _set(self, recorded: bool) -> None:
        if not self.settled.done():
            self.settled.set_result(recorded)
