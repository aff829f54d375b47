"""Leases for connections: so many at once and so many new ones per minute, at every scope, even after a crash.

A lease is a member of a sorted set whose score is its expiry: who dies stops renewing, and the place comes free.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from .errors import LimitsUnavailable
from .script import Arg, Script
from .values import Limit

LEASE_TTL_S = 30.0
"""Renew every third of this. A worker that is killed keeps its places no longer than this."""
FULL_WAIT_S = 0.5
"""How long to wait where every place is taken: nobody can say when one comes free, so look again soon."""

_LEASE = Script("lease.lua")
_RENEW = Script("renew.lua")
_PREFIX = "fanfare:limits:"


@dataclass(frozen=True, slots=True)
class Slot:
    """One scope's room for connections: `most` at once, and new ones no faster than `opening` allows."""

    key: str
    most: int
    opening: Limit | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to keep one connection open until `LEASE_TTL_S` after the last renewal."""

    connection_id: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class NoLease:
    """No connection now: `slot` is full, or opens no faster (`opening` is then its limit); ask again after `wait_s`."""

    slot: Slot
    opening: Limit | None
    wait_s: float

    def __str__(self) -> str:
        if self.opening:
            return f"{self.slot.key}: {self.opening} new connections"
        return f"{self.slot.key}: {self.slot.most} connections"


def lease_connection(
    redis: Redis, slots: Sequence[Slot], *, ttl_s: float = LEASE_TTL_S, now_us: int = 0
) -> Lease | NoLease:
    """A place at every slot (narrowest first) or at none, in one atomic call. Raises LimitsUnavailable."""
    lease = Lease(uuid.uuid4().hex, tuple(slots))
    rates = [(slot, slot.opening) for slot in slots if slot.opening]
    keys = [_key(slot) for slot in slots] + [f"{_PREFIX}opening:{slot.key}" for slot, _ in rates]
    args: list[Arg] = [lease.connection_id, ttl_s * 1_000_000, now_us, len(slots), *(slot.most for slot in slots)]
    for _, limit in rates:
        interval = 1_000_000 / limit.per_second
        args += [interval, interval * limit.burst_permits]
    granted, refuser, wait_us = _LEASE.run(redis, keys, args)
    if granted:
        return lease
    if refuser <= len(slots):
        return NoLease(slots[refuser - 1], None, FULL_WAIT_S)
    slot, limit = rates[refuser - 1 - len(slots)]
    return NoLease(slot, limit, wait_us / 1_000_000)


def renew_leases(redis: Redis, leases: Sequence[Lease], *, ttl_s: float = LEASE_TTL_S, now_us: int = 0) -> list[Lease]:
    """Renew all in one call; gives those that are lost, whose connections must be closed. Raises LimitsUnavailable."""
    if not leases:
        return []
    held = [(lease, slot) for lease in leases for slot in lease.slots]
    keys = list(dict.fromkeys(_key(slot) for _, slot in held))
    number = {key: i for i, key in enumerate(keys, 1)}
    args: list[Arg] = [ttl_s * 1_000_000, now_us]
    for lease, slot in held:
        args += [number[_key(slot)], slot.most, lease.connection_id]
    lost = {held[i - 1][0].connection_id: held[i - 1][0] for i in _RENEW.run(redis, keys, args)}
    release_leases(redis, list(lost.values()))
    return list(lost.values())


def release_leases(redis: Redis, leases: Sequence[Lease]) -> None:
    """The places are free at once; releasing twice is harmless. Raises LimitsUnavailable."""
    if not leases:
        return
    try:
        with redis.pipeline(transaction=False) as pipe:
            for lease in leases:
                for slot in lease.slots:
                    pipe.zrem(_key(slot), lease.connection_id)
            pipe.execute()
    except RedisError as error:
        raise LimitsUnavailable(str(error)) from error


def count_connections(redis: Redis, slot_key: str, *, now_us: int = 0) -> int:
    """How many connections hold a place there, counting those that died within the last `LEASE_TTL_S`."""
    return count_connections_at(redis, [slot_key], now_us=now_us)[slot_key]


def count_connections_at(redis: Redis, slot_keys: Iterable[str], *, now_us: int = 0) -> dict[str, int]:
    """The same for many slots, in two round trips. Raises LimitsUnavailable."""
    keys = list(dict.fromkeys(slot_keys))
    try:
        now_us = now_us or _now_us(redis)
        with redis.pipeline(transaction=False) as pipe:
            for key in keys:
                # Who died is taken away when the next one asks for a place; until then only the score tells.
                pipe.zcount(f"{_PREFIX}connections:{key}", now_us, "+inf")
            return dict(zip(keys, pipe.execute(), strict=True))
    except RedisError as error:
        raise LimitsUnavailable(str(error)) from error


def _now_us(redis: Redis) -> int:
    seconds, microseconds = redis.time()
    return int(seconds) * 1_000_000 + int(microseconds)


def _key(slot: Slot) -> str:
    return f"{_PREFIX}connections:{slot.key}"
