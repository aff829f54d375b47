"""An account's connections in this worker process, kept between drains; whoever drains plugs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from delivery.outcomes import Outcome


class Transport(Protocol):
    """What carries envelopes: the SMTP pool, or calls to a provider's API (delivery.smtp.Pool is the model)."""

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

    def settle(self, channel: Channel, key: Any, outcome: Outcome) -> None:
        """An envelope's outcome; called exactly once per envelope."""

    def trouble(self, channel: Channel, text: str) -> None:
        """A connection could not be had or was lost, in the server's words."""


class Channel:
    """One account's transport with the permits that the limits granted it."""

    def __init__(self, account_id: int, name: str, max_connections: int) -> None:
        self.account_id = account_id
        self.name = name
        self.max_connections = max_connections
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

    def settle(self, key: Any, outcome: Outcome) -> None:
        """What the transport calls with an outcome."""
        if self.drain is not None:
            self.drain.settle(self, key, outcome)

    def trouble(self, text: str) -> None:
        """What the transport calls when a connection fails."""
        if self.drain is not None:
            self.drain.trouble(self, text)

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
