"""When to dial again after a failure: doubling waits with jitter, forgotten once a message was answered."""

from __future__ import annotations

import random
from collections.abc import Callable

MAX_WAIT = 30.0


class Backoff:
    """Waits of `first`, twice that, and so on up to 30 s, each multiplied by a random factor from 0.5 to 1.

    A permanent refusal (a rejected login) waits longest at once: asking every second locks accounts.
    """

    def __init__(self, first: float, factor: Callable[[float, float], float] = random.uniform) -> None:
        self._first = first
        self._factor = factor
        self._ready_at = 0.0
        self.n_failures = 0

    def failed(self, now: float, *, is_permanent: bool) -> float:
        """Count a failure at `now` (seconds of any clock); gives the seconds until the next try."""
        self.n_failures += 1
        longest = MAX_WAIT if is_permanent else min(MAX_WAIT, self._first * 2.0 ** min(self.n_failures - 1, 10))
        wait = longest * self._factor(0.5, 1.0)
        self._ready_at = now + wait
        return wait

    def worked(self) -> None:
        """Forget the failures."""
        self.n_failures = 0
        self._ready_at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a connection may be tried, 0 when it may be now."""
        return max(0.0, self._ready_at - now)
