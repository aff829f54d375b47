"""A stand-in for the send engine: feeds envelopes to a pool and keeps what came back."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import uvloop

from delivery.outcomes import Outcome, Result
from delivery.smtp import Envelope, Pool, SmtpConfig, Timeouts, Trouble

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, Any]], Any]

BODY = b"Subject: News\r\n\r\nHello.\r\n..a line that began with a dot\r\n"
# More than the socket buffers of both ends hold on Linux (4 and 6 MB at most) and a stream reader besides.
BIG = (b"x" * 990 + b"\r\n") * 16_000
QUICK = Timeouts(connect=5, greeting=5, hello=5, tls=5, auth=5, quit=0.5, redial=0.01)


def envelope(key: int | str, data: bytes = BODY, **more: Any) -> Envelope:
    """An envelope for the recipient `{key}@there.example`."""
    name = str(key).encode()
    return Envelope(key, b"b+%b@here.example" % name, b"%b@there.example" % name, data, **more)


def config(port: int, **more: Any) -> SmtpConfig:
    """A configuration for a server on this machine that gives up connecting and closing early."""
    return replace(SmtpConfig("127.0.0.1", port, helo_name="here.example", timeouts=QUICK), **more)


class Engine:
    """Feeds `envelopes` in order; keeps outcomes by key and trouble in order."""

    def __init__(self, *envelopes: Envelope) -> None:
        self.waiting = deque(envelopes)
        self.outcomes: dict[Any, list[Outcome]] = defaultdict(list)
        self.troubles: list[Trouble] = []
        self._changed = asyncio.Event()

    def feed(self) -> Envelope | None:
        return self.waiting.popleft() if self.waiting else None

    def settle(self, key: Any, outcome: Outcome) -> None:
        self.outcomes[key].append(outcome)
        self._changed.set()

    def on_trouble(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)
        self._changed.set()

    def pool(self, settings: SmtpConfig, **more: Any) -> Pool:
        return Pool(settings, feed=self.feed, settle=self.settle, on_trouble=self.on_trouble, **more)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for a condition on outcomes and trouble; TimeoutError after ten seconds."""
        async with asyncio.timeout(10):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    def outcome(self, key: Any) -> Outcome:
        """The one outcome of `key`."""
        (outcome,) = self.outcomes[key]
        return outcome

    def result(self, key: Any) -> Result:
        """The one result of `key`."""
        return self.outcome(key).result


async def send(settings: SmtpConfig, *envelopes: Envelope, n_connections: int = 1) -> Engine:
    """Send envelopes over a pool that is closed when each has its outcome."""
    engine = Engine(*envelopes)
    pool = engine.pool(settings)
    pool.open(n_connections)
    try:
        await engine.until(lambda: len(engine.outcomes) == len(envelopes))
    finally:
        await pool.close(grace=2)
    assert pool.in_flight() == 0
    return engine


def in_fresh_loop(main: Coroutine[Any, Any, T], *, on_uvloop: bool) -> T:
    """Run a coroutine to its end on an event loop of its own."""
    factory = uvloop.new_event_loop if on_uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
