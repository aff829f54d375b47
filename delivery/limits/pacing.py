"""Keeps one sender supplied with permits: small slices from slow limits, large ones from fast limits.

A slice is a tenth of a second's worth. So what a sender holds is sent close to when it was granted, several senders
mix evenly, and at 10,000 a second a sender still asks Redis only ten times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from redis import Redis

from .permits import Ask, give_back, take
from .values import Limit, Refusal, Scope, Share

SLICE_S = 0.1
LARGEST_SLICE = 1000
HOLD_S = 1.0
"""Permits older than this are returned: sent later, they would come on top of that second's own."""


@dataclass(frozen=True, slots=True)
class Permission:
    """`n` messages may leave now; with 0, ask again after `wait_s`. `refused_by` says why, for the watchdog."""

    n: int
    wait_s: float = 0.0
    refused_by: Refusal | None = None


def slice_size(scopes: Sequence[Scope]) -> int:
    """Permits to ask for at once: a tenth of a second at the slowest limit, at least 1, at most 1,000."""
    limits = [window for scope in scopes for window in scope.windows if isinstance(window, Limit)]
    fastest = min((min(limit.per_second * SLICE_S, limit.burst_permits) for limit in limits), default=LARGEST_SLICE)
    return max(1, min(LARGEST_SLICE, int(fastest)))


class Pacer:
    """The permits of one path (campaign, site, source, account) in one worker; not safe to share between threads.

    It never sleeps: the caller waits `wait_s` in its own way. Times are seconds of a monotonic clock.
    """

    def __init__(self, redis: Redis, scopes: Sequence[Scope], share: Share | None = None) -> None:
        size = slice_size(scopes)
        self._redis = redis
        self._ask = Ask(tuple(scopes), n=size, least=max(1, size // 2), share=share)
        self._stock = 0
        self._granted_at = 0.0

    def permits(self, n: int, now: float, *, left: int) -> Permission:
        """Up to `n` permits out of the stock, which one Redis call fills when it is empty.

        `left` is how many messages this sender still has for the path, `n` of them ready: no more is taken than will be
        used. Raises LimitsUnavailable.
        """
        self.tidy(now)
        if not self._stock:
            grant = take(self._redis, self._ask_for(max(n, left)))
            if not grant.n:
                return Permission(0, grant.wait_s, grant.refused_by)
            self._stock, self._granted_at = grant.n, now
        given = min(n, self._stock)
        self._stock -= given
        return Permission(given)

    def close(self) -> None:
        """Return what is left; call it when a batch ends, pauses or fails. Raises LimitsUnavailable."""
        left, self._stock = self._stock, 0
        give_back(self._redis, self._ask, left)

    def tidy(self, now: float) -> None:
        """Return what is older than `HOLD_S`. Raises LimitsUnavailable."""
        if self._stock and now - self._granted_at > HOLD_S:
            self.close()

    def unused(self, n: int) -> None:
        """`n` permits handed out were not used after all (nothing was sent): they can be used again."""
        self._stock += n

    def _ask_for(self, left: int) -> Ask:
        if left >= self._ask.n:
            return self._ask
        return replace(self._ask, n=left, least=min(left, self._ask.least))
