"""Making a connection: TCP, TLS, and the handshake driven over a transport."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from typing import NamedTuple

from delivery.smtp.config import SmtpConfig, Tls
from delivery.smtp.errors import SmtpError, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.handshake import Say, shake_hands
from delivery.smtp.replies import Reply, ReplyParser


class Dialogue(asyncio.Protocol):
    """A protocol for one question at a time; a coroutine waits for each reply."""

    def __init__(self) -> None:
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""

    @property
    def has_more(self) -> bool:
        """Whether the server said more than it was asked."""
        return bool(self._replies) or self._parser.has_leftover or bool(self._parser.error)

    def check_quiet(self) -> None:
        """SmtpError when the server has hung up, or said more than it was asked: a 421 behind its EHLO answer."""
        if self._replies:
            raise SmtpError(TroubleKind.CLOSED, self._replies[0].text, self._replies[0].code)
        if self.has_more or self._lost:
            raise SmtpError(
                TroubleKind.CLOSED, self._parser.error or f"the server hung up after the greeting{self._lost}"
            )

    async def reply(self, say: Say) -> Reply:
        """The next reply. SmtpError when none comes in time, or it is not SMTP."""
        while not self._replies:
            if self._parser.error:
                raise SmtpError(TroubleKind.PROTOCOL, self._parser.error)
            if self._lost:
                raise SmtpError(TroubleKind.CLOSED, f"the server hung up instead of answering {say.about}{self._lost}")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(say.timeout):
                    await self._waiter
            except TimeoutError:
                raise SmtpError(TroubleKind.TIMEOUT, f"no answer to {say.about} within {say.timeout:g} s") from None
        return self._replies.popleft()

    def data_received(self, data: bytes) -> None:
        self._replies.extend(self._parser.feed(data))
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = f" ({error})" if error else "."
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Line(NamedTuple):
    """A connection on which MAIL can be said. `wire` is the TCP transport, which is `transport` itself without TLS."""

    transport: asyncio.Transport
    wire: asyncio.Transport
    features: Features
    dialogue: Dialogue


class Dialer:
    """Makes connections of one account; the trust store is read once (about 20 ms)."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._context: ssl.SSLContext | None = None

    async def dial(self) -> Line:
        """Connect, encrypt and log in. SmtpError says what went wrong."""
        if self._config.tls is not Tls.NONE:
            self._tls_context()  # a CA file that can't be read is known before anybody is called
        wire, dialogue = await self._connect()
        try:
            transport = await self._encrypt(wire, dialogue) if self._config.tls is Tls.IMPLICIT else wire
            transport, features = await self._converse(transport, dialogue)
            dialogue.check_quiet()
        except BaseException:
            wire.abort()
            raise
        return Line(transport, wire, features, dialogue)

    async def _connect(self) -> tuple[asyncio.Transport, Dialogue]:
        config = self._config
        local = (config.source_address, 0) if config.source_address else None
        try:
            async with asyncio.timeout(config.timeouts.connect):
                return await asyncio.get_running_loop().create_connection(
                    Dialogue, config.host, config.port, local_addr=local
                )
        except OSError as error:
            raise _connect_error(error, config) from None

    async def _converse(self, transport: asyncio.Transport, dialogue: Dialogue) -> tuple[asyncio.Transport, Features]:
        steps = shake_hands(self._config)
        step = next(steps)
        reply = Reply(220, (b"",))
        while True:
            if isinstance(step, Say):
                if step.line:
                    transport.write(step.line)
                reply = await dialogue.reply(step)
            else:
                transport = await self._encrypt(transport, dialogue)
            try:
                step = steps.send(reply)
            except StopIteration as done:
                return transport, done.value

    async def _encrypt(self, wire: asyncio.Transport, dialogue: Dialogue) -> asyncio.Transport:
        if dialogue.has_more:
            raise SmtpError(TroubleKind.TLS, "the server talks in clear where TLS must begin")
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                wire,
                dialogue,
                self._tls_context(),
                server_hostname=self._config.host,
                ssl_handshake_timeout=self._config.timeouts.tls,
            )
        except OSError as error:
            raise _tls_error(error, self._config) from None
        if encrypted is None:
            raise SmtpError(TroubleKind.TLS, "the TLS handshake failed: the connection was closed")
        return encrypted

    def _tls_context(self) -> ssl.SSLContext:
        if self._context is None:
            try:
                self._context = _make_context(self._config)
            except OSError as error:
                raise SmtpError(TroubleKind.TLS, f"cannot read the CA file: {error}") from None
        return self._context


def _make_context(config: SmtpConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect_error(error: OSError, config: SmtpConfig) -> SmtpError:
    if isinstance(error, socket.gaierror):
        return SmtpError(TroubleKind.DNS, f"{config.host}: {error.strerror or error}")
    if isinstance(error, TimeoutError):
        return SmtpError(TroubleKind.CONNECT, f"no connection to {config.host}:{config.port} in time")
    return SmtpError(TroubleKind.CONNECT, f"cannot connect to {config.host}:{config.port}: {error.strerror or error}")


def _tls_error(error: OSError, config: SmtpConfig) -> SmtpError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SmtpError(TroubleKind.TLS, f"the certificate of {config.host} is not trusted: {error.verify_message}")
    return SmtpError(TroubleKind.TLS, f"the TLS handshake failed: {error}")
