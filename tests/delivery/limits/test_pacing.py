from __future__ import annotations

import pytest
from redis import Redis

from delivery.limits.pacing import Pacer, slice_size
from delivery.limits.permits import Ask, take
from delivery.limits.values import Limit, Quota, Scope


def account(*limits: Limit) -> tuple[Scope, ...]:
    return (Scope("account:1", limits),)


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ((), 1000),
        ((Limit(1),), 1),
        ((Limit(100),), 10),
        ((Limit(100, burst=4),), 4),
        ((Limit(10_000),), 1000),
        ((Limit(10_000), Limit(36_000, 3600)), 1),
    ],
)
def test_a_slice_is_a_tenth_of_a_second_at_the_slowest_limit(limits: tuple[Limit, ...], size: int) -> None:
    assert slice_size(account(*limits)) == size


def test_a_quota_alone_is_taken_in_large_slices() -> None:
    assert slice_size((Scope("account:1", (Quota(5, "2026-01-01", 0, lambda: 0),)),)) == 1000


@pytest.fixture
def full(redis: Redis) -> tuple[Scope, ...]:
    """An account at 1,000 an hour with a full burst of 100, whose clock hardly matters within a test."""
    scopes = account(Limit(1000, 3600, burst=100))
    take(redis, Ask(scopes, n=1))
    redis.set("fanfare:limits:rate:account:1:3600", 0)
    return scopes


def test_one_call_serves_many_messages_and_the_rest_is_returned(redis: Redis) -> None:
    fast = account(Limit(10_000, 1))
    redis.set("fanfare:limits:rate:account:1:1", 0)
    pacer = Pacer(redis, fast)
    assert [pacer.permits(1, 0.0, left=500).n for _ in range(3)] == [1, 1, 1]
    before = redis.get("fanfare:limits:rate:account:1:1")
    assert pacer.permits(100, 0.5, left=400).n == 100
    assert redis.get("fanfare:limits:rate:account:1:1") == before
    pacer.close()
    after = redis.get("fanfare:limits:rate:account:1:1")
    assert before is not None
    assert after is not None
    assert float(before) - float(after) == pytest.approx((500 - 103) * 100, abs=1)


def test_a_sender_takes_no_more_than_it_has_left(redis: Redis, full: tuple[Scope, ...]) -> None:
    pacer = Pacer(redis, full)
    assert pacer.permits(5, 0.0, left=2).n == 1  # the slice of a slow limit is one
    assert take(redis, Ask(full, n=200)).n == 99


def test_permits_held_for_more_than_a_second_are_returned_first(redis: Redis) -> None:
    scopes = account(Limit(10_000))
    redis.set("fanfare:limits:rate:account:1:1", 0)
    pacer = Pacer(redis, scopes)
    assert pacer.permits(1, 0.0, left=1000).n == 1
    assert pacer.permits(5, 1.5, left=5).n == 5
    pacer.close()
    redis.set("fanfare:limits:rate:account:1:1", 0)
    assert take(redis, Ask(scopes, n=20_000)).n == 10_000


def test_an_unused_permit_serves_the_next_message(redis: Redis, full: tuple[Scope, ...]) -> None:
    pacer = Pacer(redis, full)
    assert pacer.permits(1, 0.0, left=9).n == 1
    pacer.unused(1)
    assert pacer.permits(1, 0.1, left=9).n == 1
    assert take(redis, Ask(full, n=200)).n == 99


def test_a_refusal_says_why_and_how_long(redis: Redis, full: tuple[Scope, ...]) -> None:
    take(redis, Ask(full, n=200))
    refused = Pacer(redis, full).permits(1, 0.0, left=9)
    assert refused.n == 0
    assert 0 < refused.wait_s <= 3.6
    assert str(refused.refused_by) == "account:1: 1000 per hour"
