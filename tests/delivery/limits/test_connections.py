from __future__ import annotations

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from delivery.limits.connections import (
    FULL_WAIT_S,
    Lease,
    NoLease,
    Slot,
    count_connections,
    lease_connection,
    release_leases,
    renew_leases,
)
from delivery.limits.errors import LimitsUnavailable
from delivery.limits.values import Limit

SECOND = 1_000_000
NOW = 1_767_225_600 * SECOND
SITE, ACCOUNT = Slot("site:1:google", 2), Slot("account:1", 3)


def leased(redis: Redis, *slots: Slot, now_us: int = NOW) -> Lease:
    lease = lease_connection(redis, slots, now_us=now_us)
    assert isinstance(lease, Lease)
    return lease


def test_a_connection_needs_a_place_at_every_scope(redis: Redis) -> None:
    for _ in range(2):
        leased(redis, SITE, ACCOUNT)
    full = lease_connection(redis, (SITE, ACCOUNT), now_us=NOW)
    assert full == NoLease(SITE, None, FULL_WAIT_S)
    assert str(full) == "site:1:google: 2 connections"
    leased(redis, Slot("site:1:yahoo", 2), ACCOUNT)
    assert lease_connection(redis, (Slot("site:1:yahoo", 2), ACCOUNT), now_us=NOW) == NoLease(
        ACCOUNT, None, FULL_WAIT_S
    )
    assert count_connections(redis, "site:1:yahoo", now_us=NOW) == 1
    assert count_connections(redis, "account:1", now_us=NOW) == 3
    assert count_connections(redis, "account:1", now_us=NOW + 31 * SECOND) == 0


def test_a_released_place_is_free_at_once(redis: Redis) -> None:
    held = [leased(redis, SITE) for _ in range(2)]
    release_leases(redis, held[:1])
    release_leases(redis, held[:1])
    leased(redis, SITE)
    assert isinstance(lease_connection(redis, (SITE,), now_us=NOW), NoLease)


def test_the_places_of_a_killed_worker_come_free_when_its_leases_run_out(redis: Redis) -> None:
    for _ in range(2):
        leased(redis, SITE)
    assert isinstance(lease_connection(redis, (SITE,), now_us=NOW + 29 * SECOND), NoLease)
    leased(redis, SITE, now_us=NOW + 31 * SECOND)


def test_renewed_leases_stay(redis: Redis) -> None:
    held = [leased(redis, SITE, ACCOUNT) for _ in range(2)]
    assert renew_leases(redis, held, now_us=NOW + 20 * SECOND) == []
    assert isinstance(lease_connection(redis, (SITE,), now_us=NOW + 45 * SECOND), NoLease)


def test_a_lease_that_ran_out_and_was_taken_by_others_is_lost_everywhere(redis: Redis) -> None:
    late = leased(redis, SITE, ACCOUNT)
    for _ in range(2):
        leased(redis, SITE, now_us=NOW + 40 * SECOND)
    assert renew_leases(redis, [late], now_us=NOW + 40 * SECOND) == [late]
    assert count_connections(redis, "account:1", now_us=NOW + 40 * SECOND) == 0
    assert count_connections(redis, "site:1:google", now_us=NOW + 40 * SECOND) == 2


def test_after_a_flush_open_connections_get_their_places_back(redis: Redis) -> None:
    held = [leased(redis, SITE) for _ in range(2)]
    redis.flushdb()
    stranger = leased(redis, SITE, now_us=NOW + SECOND)
    assert renew_leases(redis, [*held, stranger], now_us=NOW + 2 * SECOND) == [held[1]]
    assert count_connections(redis, "site:1:google", now_us=NOW + 2 * SECOND) == 2


def test_a_clock_set_back_keeps_no_dead_lease_alive_for_an_hour(redis: Redis) -> None:
    leased(redis, SITE, now_us=NOW + 3600 * SECOND)
    alive = leased(redis, SITE)
    assert renew_leases(redis, [alive], now_us=NOW) == []
    leased(redis, SITE, now_us=NOW + 31 * SECOND)


def test_new_connections_open_no_faster_than_their_limit(redis: Redis) -> None:
    slot = Slot("account:1", 100, opening=Limit(60, 60))
    leased(redis, slot)
    refused = lease_connection(redis, (SITE, slot), now_us=NOW + SECOND // 4)
    assert refused == NoLease(slot, Limit(60, 60), 0.75)
    assert str(refused) == "account:1: 60 per minute new connections"
    assert count_connections(redis, "site:1:google") == 0
    leased(redis, SITE, slot, now_us=NOW + SECOND)


def test_renewing_nothing_asks_nobody() -> None:
    nowhere = Redis(port=1, retry=Retry(NoBackoff(), 0))
    assert renew_leases(nowhere, []) == []
    release_leases(nowhere, [])


def test_without_redis_no_connection_is_opened() -> None:
    nowhere = Redis(port=1, retry=Retry(NoBackoff(), 0))
    for call in (
        lambda: lease_connection(nowhere, (SITE,)),
        lambda: renew_leases(nowhere, [Lease("x", (SITE,))]),
        lambda: release_leases(nowhere, [Lease("x", (SITE,))]),
        lambda: count_connections(nowhere, "account:1"),
    ):
        with pytest.raises(LimitsUnavailable):
            call()
