"""An account's connections in this worker process, kept between drains; whoever drains plugs in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from delivery.outcomes import Outcome, Result


class Cause(StrEnum):
    """What a trouble says about the account."""

    CONNECTION = "connection"  # no connection worth the name: the circuit breaker counts it
    REFUSED = "refused"  # the same by a 5yz, which asking again will not change: it counts three times
    CREDENTIALS = "credentials"  # login refused: asking every minute locks accounts
    QUOTA = "quota"  # no credit left, or a limit that the provider counts
    LOST = "lost"  # a connection that had worked


FAILURES = {Cause.CONNECTION: 1, Cause.REFUSED: 3}
# Permits that wait this long for a first connection are better used elsewhere.
DOUBT_SECONDS = 3.0


class News(NamedTuple):
    """A trouble, for the ledger's thread."""

    cause: Cause
    text: str


class Transport(Protocol):
    """What carries envelopes: the SMTP pool, or calls to a provider's API (delivery.smtp.Pool is the model)."""

    @property
    def n_connections(self) -> int:
        """Connections that are up (or calls under way)."""

    def open(self, n: int) -> None:
        """Wants `n` connections (or calls at once)."""

    def wake(self) -> None:
        """feed() may have something again."""

    def recall(self, is_recalled: Callable[[Any], bool]) -> None:
        """Settles as deferred what is pulled, has such a key and has not begun to leave."""

    def in_flight(self) -> int:
        """Envelopes pulled and not settled."""

    async def idle(self) -> None:
        """Returns when nothing is in flight."""

    async def close(self) -> None:
        """Says goodbye and closes."""


class Drainer(Protocol):
    """The drain that is plugged in."""

    def feed(self, channel: Channel) -> Any | None:
        """The next envelope for this channel, or None when there is none now."""

    def starve(self) -> None:
        """A call could begin and has nothing to carry."""

    def settle(self, channel: Channel, key: Any, outcome: Outcome) -> None:
        """An envelope's outcome; called exactly once per envelope."""

    def trouble(self, channel: Channel, text: str) -> None:
        """A connection could not be had or was lost, in the server's words."""


class Channel:
    """One account's transport (or that of one of its source addresses) with the permits that the limits granted it."""

    def __init__(self, account_id: int, name: str, max_connections: int, *, source_id: int = 0) -> None:
        self.account_id = account_id
        self.source_id = source_id  # 0: the system chooses the address
        self.name = name
        self.max_connections = max_connections
        self.site = ""  # whose own server this is; a relay is nobody's
        self.rank = 0  # in the route that is drained
        self.weight = 1.0
        self.n_answered = 0  # in a drain these two only grow: the ledger's thread remembers what it saw
        self.n_failed = 0
        self.news: deque[News] = deque(maxlen=100)
        # It failed last, or no connection comes up: where others can send it gets one message to try, no more.
        self.is_doubtful = False
        self._waits_since = 0.0
        self.takes_letters = False  # a provider's API takes parts, SMTP takes whole messages
        self.permits = 0
        self.drain: Drainer | None = None
        self.transport: Transport | None = None
        self.renew_places: Callable[[], None] = lambda: None  # of its connections among all workers', once a second

    def feed(self) -> Any | None:
        """What the transport calls for its next envelope."""
        if self.drain is None or self.permits <= 0:
            return None
        return self.drain.feed(self)

    def offers(self, n: int) -> bool:
        """Whether `n` envelopes can be had now; if not, the journal hears that a call waits for them."""
        if self.permits < n and self.drain is not None:
            self.drain.starve()
        return self.permits >= n

    def settle(self, key: Any, outcome: Outcome) -> None:
        """What the transport calls with an outcome."""
        if outcome.code and not (outcome.code >= 500 and outcome.result is Result.DEFERRED):  # HTTP 503 is no answer
            self.n_answered += 1
            self.is_doubtful = False
        if self.drain is not None:
            self.drain.settle(self, key, outcome)

    def trouble(self, text: str, cause: Cause = Cause.CONNECTION) -> None:
        """What the transport calls when a connection fails, or the account as such is refused."""
        self.n_failed += FAILURES.get(cause, 0)
        self.is_doubtful = self.is_doubtful or cause in FAILURES
        self.news.append(News(cause, text))
        if self.drain is not None:
            self.drain.trouble(self, text)

    def join(self, *, rank: int, weight: float) -> None:
        """A member of the route that is drained next."""
        self.rank, self.weight = rank, weight
        self.n_answered = self.n_failed = 0
        self.news.clear()

    def check(self, now: float) -> None:
        """Doubts a transport that has permits and, for seconds, no connection to use them on."""
        if self.permits <= 0 or self.transport is None or self.transport.n_connections:
            self._waits_since = 0.0
        elif not self._waits_since:
            self._waits_since = now
        elif now - self._waits_since > DOUBT_SECONDS:
            self.is_doubtful = True

    def recall(self, is_recalled: Callable[[Any], bool]) -> None:
        """What was pulled with such a key and has not begun to leave is settled as deferred."""
        if self.transport is not None:
            self.transport.recall(is_recalled)

    async def close(self) -> None:
        """The connections are closed and their places are free."""
        if self.transport is not None:
            await self.transport.close()
        self.renew_places()

    def wake(self) -> None:
        """The transport looks again whether there is something to send."""
        if self.transport is not None and self.permits > 0:
            self.transport.wake()
