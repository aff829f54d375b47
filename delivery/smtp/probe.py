"""Trying an account: `probe` says what a server is and what it refuses, `send_one` sends a single test message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from delivery.outcomes import Outcome, Result
from delivery.smtp.config import SmtpConfig
from delivery.smtp.dial import Dialer, Line
from delivery.smtp.envelope import Envelope
from delivery.smtp.errors import SmtpError, Trouble
from delivery.smtp.features import Features
from delivery.smtp.handshake import Say
from delivery.smtp.pool import Pool
from delivery.smtp.verdicts import MAX_TEXT


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What was found. `trouble` is None when the server is ready for mail.

    `connected_in`: seconds until ready for MAIL (TCP, TLS and login included). `round_trip`: seconds for one NOOP.
    `tls`: such as "TLSv1.3 TLS_AES_256_GCM_SHA384", empty in clear.
    """

    trouble: Trouble | None = None
    features: Features = field(default_factory=Features)
    connected_in: float = 0.0
    round_trip: float = 0.0
    tls: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether mail can be sent."""
        return self.trouble is None


async def probe(config: SmtpConfig) -> ProbeReport:
    """Connect, encrypt and log in as for sending, ask one NOOP, and quit. No message is begun."""
    start = perf_counter()
    try:
        line = await Dialer(config).dial()
    except SmtpError as error:
        return ProbeReport(error.trouble, connected_in=perf_counter() - start)
    connected_in = perf_counter() - start
    tls = _describe_tls(line.transport)
    try:
        asked_at = perf_counter()
        await _ask(line, b"NOOP\r\n", config.timeouts.hello)
        round_trip = perf_counter() - asked_at
        await _ask(line, b"QUIT\r\n", config.timeouts.quit)
    except SmtpError as error:
        return ProbeReport(error.trouble, line.features, connected_in, tls=tls)
    finally:
        line.transport.abort()
    return ProbeReport(None, line.features, connected_in, round_trip, tls)


async def send_one(config: SmtpConfig, envelope: Envelope) -> Outcome:
    """Send one message over a connection of its own. Trouble before it is begun comes back as a deferral."""
    waiting = [envelope]
    done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def give_up(trouble: Trouble) -> None:
        if waiting:
            waiting.clear()
            done.set_result(Outcome(Result.DEFERRED, trouble.code, text=f"not sent: {trouble.text}"[:MAX_TEXT]))

    pool = Pool(
        config,
        feed=lambda: waiting.pop() if waiting else None,
        settle=lambda _, outcome: done.set_result(outcome),
        on_trouble=give_up,
    )
    pool.open(1)
    try:
        return await done
    finally:
        await pool.close(config.timeouts.quit)


async def _ask(line: Line, command: bytes, timeout: float) -> None:
    line.transport.write(command)
    await line.dialogue.reply(Say(b"", timeout, command.decode().strip()))


def _describe_tls(transport: asyncio.Transport) -> str:
    cipher = transport.get_extra_info("cipher")
    return f"{cipher[1]} {cipher[0]}" if cipher else ""
