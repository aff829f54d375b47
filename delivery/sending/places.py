"""Places: an account's connections and calls are counted over all workers; who dies loses his after 30 s."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from redis import Redis

from delivery.limits.connections import Lease, Slot, lease_connection, release_leases, renew_leases
from delivery.limits.errors import LimitsUnavailable
from delivery.limits.permits import Ask, take
from delivery.limits.values import Limit, Scope
from delivery.models import ProviderAccount

# Without Redis nobody knows how many connections there are: none is opened (fail closed), and it is asked again soon.
UNAVAILABLE_SECONDS = 1.0


def per_minute(n: int | None) -> Limit | None:
    """A limit of new connections or calls, spent evenly."""
    return Limit(n, 60, burst=max(1.0, n / 60)) if n else None


class Places:
    """The places that this process holds at some slots, as many as it has connections (or calls under way)."""

    def __init__(self, redis: Redis, slots: Sequence[Slot]) -> None:
        self._redis = redis
        self._slots = slots
        self._held: list[Lease] = []  # the event loop adds, the ledger's thread removes

    @property
    def n_held(self) -> int:
        """How many connections may be open."""
        return len(self._held)

    def may_connect(self) -> float:
        """0.0 and one more place is held, or the seconds to wait."""
        try:
            answer = lease_connection(self._redis, self._slots)
        except LimitsUnavailable:
            return UNAVAILABLE_SECONDS
        if isinstance(answer, Lease):
            self._held.append(answer)
            return 0.0
        return answer.wait_s

    def renew(self, n_connections: int) -> None:
        """As many places are held as there are connections."""
        with contextlib.suppress(LimitsUnavailable):  # places that are not renewed come free by themselves
            self._renew(n_connections)

    def _renew(self, n_connections: int) -> None:
        surplus = self._held[: max(0, len(self._held) - n_connections)]
        release_leases(self._redis, surplus)
        del self._held[: len(surplus)]
        for lease in renew_leases(self._redis, self._held):
            self._held.remove(lease)


class CallPlaces:
    """Whether a provider's API may be called now: so many calls at once, and so many new ones per minute.

    A place is kept from one call to the next, so that most calls ask Redis for nothing.
    """

    def __init__(self, redis: Redis, account: ProviderAccount) -> None:
        self._redis = redis
        self._places = Places(redis, [Slot(f"account:{account.pk}", account.max_connections)])
        limit = per_minute(account.connections_per_minute)
        self._ask = Ask((Scope(f"calls:{account.pk}", (limit,) if limit else ()),), n=1)

    def may_call(self, n_under_way: int) -> float:
        """0.0, or the seconds to wait before asking again."""
        if n_under_way >= self._places.n_held and (wait := self._places.may_connect()):
            return wait
        try:
            grant = take(self._redis, self._ask)
        except LimitsUnavailable:
            return UNAVAILABLE_SECONDS
        return 0.0 if grant.n else max(grant.wait_s, 0.001)

    def renew(self, n_calls: int) -> None:
        """As many places are held as calls were under way at once lately."""
        self._places.renew(n_calls)
