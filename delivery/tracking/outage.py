"""Whether PostgreSQL was away a moment ago: a pool waits ten seconds for a connection, readers must not, each time."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_SECONDS = 5.0
# Longer than the pool's own patience (settings.DATABASES), so that one request at a time tries.
TRIAL_SECONDS = 12.0


class Outage:
    """On after a failure; every few seconds one request is let through to see whether it is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: float | None = None

    def holds(self) -> bool:
        """Whether this request should do without PostgreSQL."""
        if self._until is None:
            return False
        if self._clock() < self._until:
            return True
        self._until = self._clock() + TRIAL_SECONDS
        return False

    def note(self) -> None:
        """PostgreSQL did not answer."""
        self._until = self._clock() + PAUSE_SECONDS

    def clear(self) -> None:
        """PostgreSQL answered."""
        self._until = None
