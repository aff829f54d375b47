"""Who sends the next messages of a batch: the members of the route's pool, by health, rank, weight and limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from django.utils import timezone

from delivery.limits.pacing import Permission
from delivery.limits.values import Quota, Refusal
from delivery.pooling import Member, Shares, first_rank
from delivery.sending.breakers import Breakers
from delivery.sending.channel import Channel
from delivery.sending.lease import Lease
from delivery.sending.orders import Refused
from delivery.sending.standing import Standing

BREAKER_SECONDS = 1.5  # until an open breaker is asked again


class Permits(Protocol):
    """The limits as the drain sees them (delivery.sending.permits.RoutePermits)."""

    @property
    def standing(self) -> Standing:
        """What holds now."""

    def look_again(self) -> None:
        """Something was written that the next question must know."""

    def obstacle(self, channel: Channel, lease: Lease) -> Refused | None:
        """What stops this account for this batch's site."""

    def take(self, channel: Channel, lease: Lease, n: int) -> Permission:
        """Up to `n` permits, charged to every scope."""

    def put_back(self, channel: Channel, lease: Lease, n: int) -> None:
        """Permits that were not used."""

    def tidy(self) -> None:
        """Stocks that nobody draws from go back."""

    def close(self) -> None:
        """Permits that were not handed out go back."""


class Granter:
    """Grants permits to channels; used by the ledger's thread alone.

    Higher ranks are used only while every lower one is out: disabled, suspended, its breaker open, its day's quota or
    warm-up cap used up. A rate that is reached is no reason: it says when, not whether.
    """

    def __init__(self, permits: Permits, breakers: Breakers) -> None:
        self._permits = permits
        self._breakers = breakers
        self._shares: Shares[Channel] = Shares()

    def grant(self, lease: Lease, n: int, channels: Sequence[Channel]) -> tuple[dict[Channel, int], Refused | None]:
        """Permits by channel, `n` together or as many as there are; with fewer, what stands in the way of the rest."""
        rooms, refusals = self._open(lease, channels)
        given: dict[Channel, int] = {}
        slow: set[Channel] = set()
        while n > 0 and (members := _ready(rooms, slow)):
            for channel, part in self._shares.split(n, members).items():
                n_given = self._take(lease, channel, min(part, rooms[channel]), given, refusals)
                n -= n_given
                rooms[channel] -= n_given
                if n_given == 0 and part:
                    self._leave_out(channel, rooms, slow, refusals)
        self._return_probes(channels, rooms, given)
        late = slow | refusals.keys()
        self._shares.keep_up(map(_member, late), [_member(channel) for channel in rooms if channel not in late])
        return given, _worst(refusals.values()) if n else None

    def must_not(self, channel: Channel, lease: Lease) -> bool:
        """Whether permits that this channel holds for the lease have to be withdrawn."""
        if self._breakers.blocks(channel.account_id) or self._permits.obstacle(channel, lease) is not None:
            return True
        return channel.is_doubtful and lease.permits.get(channel, 0) > 1

    def _open(self, lease: Lease, channels: Sequence[Channel]) -> tuple[dict[Channel, int], dict[Channel, Refused]]:
        """Channels that may carry the batch with the room that each has, and what the others suffer from."""
        rooms: dict[Channel, int] = {}
        refusals: dict[Channel, Refused] = {}
        now = timezone.now()
        for channel in channels:
            if not _may_carry(channel, lease, channels):
                continue
            obstacle = self._permits.obstacle(channel, lease)
            if obstacle is not None:
                refusals[channel] = obstacle
                continue
            room = self._breakers.room(channel.account_id, now)
            if room == 0:
                words = f"{channel.name} is out of order: {self._breakers.reason(channel.account_id)}"
                refusals[channel] = Refused(BREAKER_SECONDS, words, own=False)
            else:
                rooms[channel] = 1_000_000 if room is None else room
        for channel in rooms:
            if channel.is_doubtful and len(rooms) > 1:
                rooms[channel] = max(0, 1 - channel.permits)
        return rooms, refusals

    def _take(
        self, lease: Lease, channel: Channel, n: int, given: dict[Channel, int], refusals: dict[Channel, Refused]
    ) -> int:
        if n <= 0:
            return 0
        permission = self._permits.take(channel, lease, n)
        if permission.n:
            given[channel] = given.get(channel, 0) + permission.n
            self._shares.charge(_member(channel), permission.n)
        elif permission.refused_by is not None:
            refusals[channel] = _refused(permission.refused_by, permission.wait_s, lease)
        return permission.n

    def _leave_out(
        self, channel: Channel, rooms: dict[Channel, int], slow: set[Channel], refusals: dict[Channel, Refused]
    ) -> None:
        """For the rest of this grant: as used up (others take over) or as slow (its rank goes on to count)."""
        refused = refusals.get(channel)
        if rooms[channel] <= 0 or (refused is not None and refused.used_up):
            del rooms[channel]
        else:
            slow.add(channel)

    def _return_probes(self, channels: Sequence[Channel], rooms: dict[Channel, int], given: dict[Channel, int]) -> None:
        for channel in channels:
            if channel not in given and channel in rooms:
                self._breakers.give_up_probe(channel.account_id, timezone.now())


def _ready(rooms: dict[Channel, int], slow: set[Channel]) -> list[Member[Channel]]:
    return [member for member in first_rank(map(_member, rooms)) if member.key not in slow]


def _member(channel: Channel) -> Member[Channel]:
    return Member(channel, channel.rank, channel.weight)


def _may_carry(channel: Channel, lease: Lease, channels: Sequence[Channel]) -> bool:
    """Greylisted mail goes where it came from, as long as that is in the route."""
    pinned = (lease.account_id, lease.source_id or 0)
    if lease.account_id is None or all((c.account_id, c.source_id) != pinned for c in channels):
        return True
    return (channel.account_id, channel.source_id) == pinned


def _refused(refusal: Refusal, wait_s: float, lease: Lease) -> Refused:
    wide = refusal.scope.startswith(("account:", "source:", "measure:account:"))
    return Refused(
        wait_s,
        f"A limit is reached: {refusal}",
        own=not wide,
        campaign_wide=refusal.scope == f"campaign:{lease.campaign_id}",
        used_up=isinstance(refusal.window, Quota),
        campaign_id=lease.campaign_id if refusal.scope.startswith("measure:campaign:") else 0,
    )


def _worst(refusals: Iterable[Refused]) -> Refused | None:
    """The one that may end first; a batch's own limit is named before one that all share."""
    return min(refusals, key=lambda refused: (not refused.own, refused.wait_s), default=None)
