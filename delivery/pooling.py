"""Which members of a pool share the next messages: the lowest rank that can send, by weight (stride scheduling)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Member(Generic[K]):
    """An account or source address in a route's pool. Lower `rank` goes first; `weight` shares within a rank."""

    key: K
    rank: int = 0
    weight: float = 1.0


def first_rank(members: Iterable[Member[K]]) -> list[Member[K]]:
    """Those of the members that share the lowest rank among them."""
    members = list(members)
    lowest = min((member.rank for member in members), default=0)
    return [member for member in members if member.rank == lowest]


class Shares(Generic[K]):
    """Keeps shares exact over many small splits: a member's time grows by messages over weight, the least is next."""

    def __init__(self) -> None:
        self._times: dict[K, float] = {}

    def split(self, n: int, members: Sequence[Member[K]]) -> dict[K, int]:
        """How many of `n` messages each member is due; nothing is charged."""
        if len(members) == 1:
            return {members[0].key: n}
        times = {member.key: self._times.get(member.key, 0.0) for member in members}
        parts = dict.fromkeys(times, 0)
        for _ in range(n):
            due = min(members, key=lambda member: (times[member.key] + 1 / member.weight, -member.weight))
            times[due.key] += 1 / due.weight
            parts[due.key] += 1
        return parts

    def charge(self, member: Member[K], n: int) -> None:
        """The member got `n` messages (below 0: it gave them back)."""
        self._times[member.key] = self._times.get(member.key, 0.0) + n / member.weight

    def keep_up(self, late: Iterable[Member[K]], others: Iterable[Member[K]]) -> None:
        """Who could not take its share does not catch up later: the late ones are no further behind than the others."""
        start = min((self._times.get(member.key, 0.0) for member in others), default=None)
        for member in late if start is not None else ():
            self._times[member.key] = max(self._times.get(member.key, 0.0), start or 0.0)
