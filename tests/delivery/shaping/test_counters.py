from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from delivery.limits.errors import LimitsUnavailable
from delivery.shaping.counters import change_pace, count_reply, forget_replies, read_pace
from delivery.shaping.pace import FULL, Pace, next_pace
from delivery.shaping.rules import Action, Effect, Heard, Reach, Rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEARD = Heard("421 slow", "google", account_id=3)
PATH_RULE = Rule("slow", "slow", (Effect(Action.SUSPEND),), 5)
ACCOUNT_RULE = Rule("all", "slow", (Effect(Action.SUSPEND),), 5, reach=Reach.ACCOUNT)


def test_replies_of_the_last_hour_are_counted_per_rule_and_target(redis: Redis) -> None:
    elsewhere = Heard("421 slow", "yahoo", account_id=3)
    assert count_reply(redis, HEARD, [PATH_RULE, ACCOUNT_RULE], NOW) == {"slow": 1, "all": 1}
    assert count_reply(redis, elsewhere, [PATH_RULE, ACCOUNT_RULE], NOW) == {"slow": 1, "all": 2}
    assert count_reply(redis, HEARD, [PATH_RULE], NOW + 30 * MINUTE, n=3) == {"slow": 4}
    assert count_reply(redis, HEARD, [PATH_RULE], NOW + 59 * MINUTE) == {"slow": 5}
    assert count_reply(redis, HEARD, [PATH_RULE], NOW + 60 * MINUTE) == {"slow": 5}
    assert count_reply(redis, HEARD, [], NOW) == {}


def test_old_minutes_are_forgotten_and_counters_expire(redis: Redis) -> None:
    for minutes in range(200):
        count_reply(redis, HEARD, [PATH_RULE], NOW + minutes * MINUTE)
    (key,) = redis.scan_iter("fanfare:shaping:heard:*")
    assert redis.hlen(key) == 60
    assert 0 < redis.ttl(key) <= 7200


def test_a_revoked_measure_starts_again_from_zero(redis: Redis) -> None:
    count_reply(redis, HEARD, [PATH_RULE], NOW, n=9)
    forget_replies(redis, HEARD, PATH_RULE)
    assert count_reply(redis, HEARD, [PATH_RULE], NOW) == {"slow": 1}


def test_a_pace_is_kept_until_it_is_full_again(redis: Redis) -> None:
    assert read_pace(redis, "path:3::google") == FULL
    slowed = change_pace(redis, "path:3::google", lambda pace: next_pace(pace, throttled=True, per_second=100, now=NOW))
    assert slowed == Pace(0.5, NOW)
    assert read_pace(redis, "path:3::google") == slowed
    later = NOW + 10 * MINUTE
    full = change_pace(
        redis, "path:3::google", lambda pace: next_pace(pace, throttled=False, per_second=100, now=later)
    )
    assert full == FULL
    assert list(redis.scan_iter()) == []


def test_two_workers_that_hear_the_same_throttle_halve_the_pace_once(redis: Redis) -> None:
    rivals = iter([True, False])

    def halve(pace: Pace) -> Pace:
        if next(rivals):  # another worker writes between our reading and our writing
            with Redis(connection_pool=redis.connection_pool) as rival:
                rival.set("fanfare:shaping:pace:p", f"0.5 {NOW.timestamp()}")
        return next_pace(pace, throttled=True, per_second=100, now=NOW)

    assert change_pace(redis, "p", halve) == Pace(0.5, NOW)


def test_without_redis_shaping_says_so() -> None:
    nowhere = Redis(port=1, retry=Retry(NoBackoff(), 0))
    for call in (
        lambda: count_reply(nowhere, HEARD, [PATH_RULE], NOW),
        lambda: forget_replies(nowhere, HEARD, PATH_RULE),
        lambda: read_pace(nowhere, "p"),
        lambda: change_pace(nowhere, "p", lambda pace: pace),
    ):
        with pytest.raises(LimitsUnavailable):
            call()
