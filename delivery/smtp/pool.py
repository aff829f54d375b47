"""The connections of one account in one event loop: how many there are, what they work on, when to dial again."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.smtp.backoff import Backoff
from delivery.smtp.config import SmtpConfig
from delivery.smtp.connection import Connection
from delivery.smtp.dial import Dialer
from delivery.smtp.envelope import Envelope
from delivery.smtp.errors import SmtpError, Trouble
from delivery.smtp.session import Session
from delivery.smtp.verdicts import MAX_TEXT, RECALLED

# Connections on which one message may be begun before it is deferred with the last reason.
MAX_TRIES = 3
# How many more connections each one calls for when all have work and more was pulled: 1, 4, 16, 64. Twenty are up
# after dialing four times, and a trickle of single messages opens no more than one.
GROWTH = 3
# Seconds that a message which a connection lost unsent is kept for the next one.
PATIENCE = 5.0
_NEVER = sys.maxsize


class Pool:
    """Pulls envelopes from `feed` over up to n connections and settles each exactly once through `settle`.

    `feed` gives None when it has nothing now; `wake` tells that it may have something again. Only a connection that
    is ready to send pulls, so trouble with connecting costs no message its attempt. `on_trouble` hears of every
    failed or broken connection. `may_connect` gives the seconds to wait before a new connection may be opened
    (0: go), for limits on new connections. Not thread-safe: everything is called from, and calls in, one loop.
    """

    def __init__(
        self,
        config: SmtpConfig,
        *,
        feed: Callable[[], Envelope | None],
        settle: Callable[[Any, Outcome], None],
        on_trouble: Callable[[Trouble], None],
        loop: asyncio.AbstractEventLoop | None = None,
        may_connect: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._config = config
        self._feed = feed
        self._settle = settle
        self._on_trouble = on_trouble
        self._may_connect = may_connect
        self._loop = loop or asyncio.get_running_loop()
        self._dialer = Dialer(config)
        self._backoff = Backoff(config.timeouts.redial)
        self._tick = min(1.0, config.timeouts.shortest / 4)

        self._n_wanted = 0
        self._connections: set[Connection] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self._n_in_flight = 0
        self._is_dry = False
        self._n_pulled = 0  # since `feed` was last dry
        self._grow_above = _NEVER  # so many pulled show that there is work for more connections
        self._is_serving = False
        self._returned: deque[tuple[Envelope, str]] = deque()
        self._tries: dict[int, int] = {}
        self._may_ask_at = 0.0  # when `may_connect` may be asked again
        self._redial: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._idlers: list[asyncio.Future[None]] = []
        self._last_gone: asyncio.Future[None] | None = None

    @property
    def n_connections(self) -> int:
        """Connections that are up."""
        return len(self._connections)

    # For the engine.

    def open(self, n: int) -> None:
        """Want n connections. More are dialed as there is work for them; too many finish what they have and quit."""
        self._n_wanted = n
        n_extra = len(self._dials) + len(self._connections) - n
        for dial in list(self._dials)[: max(0, n_extra)]:
            dial.cancel()
        staying = [c for c in self._connections if not c.session.is_ending]
        staying.sort(key=lambda c: c.session.awaited is not None)
        for connection in staying[: max(0, len(staying) - n)]:
            connection.finish()
        self.wake()

    def wake(self) -> None:
        """`feed` may have work again: every connection that can take a message pulls. Safe to call from callbacks."""
        self._is_dry = False
        self._serve_soon()

    def recall(self, is_recalled: Callable[[Any], bool]) -> None:
        """Settle as deferred those envelopes whose key is recalled and of whose body nothing has left."""
        returned, self._returned = self._returned, deque()
        for envelope, reason in returned:
            if is_recalled(envelope.key):
                self.settle(envelope, RECALLED)
            else:
                self._returned.append((envelope, reason))
        for connection in list(self._connections):
            connection.session.recall(lambda envelope: is_recalled(envelope.key))

    def in_flight(self) -> int:
        """Envelopes pulled and not yet settled."""
        return self._n_in_flight

    async def idle(self) -> None:
        """Return when nothing is in flight."""
        while self._n_in_flight:
            waiter = self._loop.create_future()
            self._idlers.append(waiter)
            await waiter

    async def close(self, grace: float = 30.0) -> None:
        """Finish what was begun, say QUIT, and leave no connection. After `grace` seconds hang up instead.

        What was pulled and not sent is settled as deferred, what was sent and not answered as uncertain.
        """
        self.open(0)
        if self._dials:
            await asyncio.wait(self._dials)
        if self._connections:
            self._last_gone = self._loop.create_future()
            await asyncio.wait([self._last_gone], timeout=grace)
        for connection in list(self._connections):
            connection.abort("given up while closing")
        # Transports close their sockets one turn of the loop after they are told to.
        await asyncio.sleep(0)
        self._serve()
        for timer in filter(None, (self._redial, self._watch)):
            timer.cancel()

    # For sessions and connections.

    def pull(self) -> Envelope | None:
        """The next envelope to send: first those that another connection lost unsent."""
        if self._returned:
            return self._returned.popleft()[0]
        envelope = self._feed()
        if envelope is None:
            self._is_dry = True
            self._n_pulled = 0
            return None
        self._n_in_flight += 1
        self._n_pulled += 1
        if self._n_pulled > self._grow_above:
            self._serve_soon()
        return envelope

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        """Tell the engine how one envelope ended."""
        self._n_in_flight -= 1
        if self._tries:
            self._tries.pop(id(envelope), None)
        self._settle(envelope.key, outcome)
        if self._idlers and not self._n_in_flight:
            idlers, self._idlers = self._idlers, []
            for waiter in idlers:
                _resolve(waiter)

    def give_back(self, envelope: Envelope, reason: str) -> None:
        """Take an envelope that provably was not sent, for another connection to try."""
        n_tries = self._tries.get(id(envelope), 1)
        if n_tries >= MAX_TRIES:
            self._defer(envelope, reason)
        else:
            self._tries[id(envelope)] = n_tries + 1
            self._returned.append((envelope, reason))

    def proved(self) -> None:
        """A new connection got its first message answered, so the server is well again."""
        if self._backoff.n_failures:
            self._backoff.worked()
            self._serve_soon()

    def ended(self, connection: Connection, trouble: Trouble | None) -> None:
        """A connection is gone. One that got no message answered counts as a failure to connect."""
        self._connections.discard(connection)
        if self._last_gone is not None and not self._connections:
            _resolve(self._last_gone)
        if trouble is not None and connection.session.n_answered:
            self._on_trouble(trouble)
        elif trouble is not None:
            self._failed(trouble)
        self._serve_soon()

    # Inside.

    def _serve_soon(self) -> None:
        if not self._is_serving:
            self._is_serving = True
            self._loop.call_soon(self._serve)

    def _serve(self) -> None:
        self._is_serving = False
        for connection in list(self._connections):
            connection.pump()
        n_lines = len(self._connections) + len(self._dials)
        if self._n_pulled > n_lines:
            self._grow(GROWTH * max(1, n_lines))
        elif self._returned or not (n_lines or self._is_dry):
            self._grow(1)
        may_grow = not self._dials and self._redial is None and len(self._connections) < self._n_wanted
        self._grow_above = len(self._connections) if may_grow else _NEVER
        if not self._n_wanted:
            self._defer_stranded()

    def _defer_stranded(self) -> None:
        """What was given back and has no connection to go to, now or soon, is for the engine to keep."""
        if not self._connections and not self._dials:
            while self._returned:
                self._defer(*self._returned.popleft())

    def _defer(self, envelope: Envelope, reason: str) -> None:
        self.settle(envelope, Outcome(Result.DEFERRED, text=f"not sent: {reason}"[:MAX_TEXT]))

    def _grow(self, n: int) -> None:
        n_room = self._n_wanted - len(self._connections) - len(self._dials)
        if self._backoff.n_failures:
            n_room = min(n_room, 1 - len(self._dials))  # try one at a time until one gets a message answered
        for _ in range(min(n, n_room)):
            wait = self._backoff.wait(self._loop.time()) or self._wait_for_place(self._loop.time())
            if wait > 0:
                self._grow_later(wait)
                return
            self._dials.add(self._loop.create_task(self._dial()))

    def _wait_for_place(self, now: float) -> float:
        """What `may_connect` says, which is not asked again before the wait that it gave is over."""
        if now >= self._may_ask_at:
            self._may_ask_at = now + self._may_connect()
        return max(0.0, self._may_ask_at - now)

    def _grow_later(self, wait: float) -> None:
        if self._redial is not None:
            self._redial.cancel()
        if wait > PATIENCE:
            self._defer_stranded()
        self._redial = self._loop.call_later(wait, self._redial_now)

    def _redial_now(self) -> None:
        self._redial = None
        self._serve()

    async def _dial(self) -> None:
        trouble = None
        try:
            line = await self._dialer.dial()
        except SmtpError as error:
            trouble = error.trouble
        finally:
            self._dials = {dial for dial in self._dials if dial is not asyncio.current_task()}
            self._serve_soon()
        if trouble is not None:
            self._failed(trouble)
            self._defer_stranded()
            return
        session = Session(self._config, line.features, self)
        connection = Connection(line, session, self, self._config.timeouts, self._loop.time)
        self._connections.add(connection)
        connection.pump()
        self._watch_soon()

    def _failed(self, trouble: Trouble) -> None:
        wait = self._backoff.failed(self._loop.time(), is_permanent=trouble.is_permanent)
        self._on_trouble(replace(trouble, retry_in=wait))

    def _watch_soon(self) -> None:
        if self._watch is None and self._connections:
            self._watch = self._loop.call_later(self._tick, self._check_times)

    def _check_times(self) -> None:
        self._watch = None
        for connection in list(self._connections):
            connection.check_time()
        self._watch_soon()


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
