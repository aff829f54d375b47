from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from delivery.limits.errors import LimitsUnavailable
from delivery.shaping.counters import count_reply, forget_counters
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
    forget_counters(redis, "slow", "path:3::google")
    assert count_reply(redis, HEARD, [PATH_RULE], NOW) == {"slow": 1}


def test_without_redis_shaping_says_so() -> None:
    nowhere = Redis(port=1, retry=Retry(NoBackoff(), 0))
    for call in (
        lambda: count_reply(nowhere, HEARD, [PATH_RULE], NOW),
        lambda: forget_counters(nowhere, "slow", "path:3::google"),
    ):
        with pytest.raises(LimitsUnavailable):
            call()
