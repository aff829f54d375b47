from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from delivery.limits.errors import LimitsUnavailable
from delivery.limits.permits import Ask, give_back, quota_used, take, take_many
from delivery.limits.values import Limit, Quota, Refusal, Scope

SECOND = 1_000_000
NOW = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


def ask(*limits: Limit, n: int = 1, least: int = 1, key: str = "account:1") -> Ask:
    return Ask((Scope(key, limits),), n=n, least=least)


def fill(redis: Redis, wanted: Ask, now_us: int = NOW) -> int:
    """Make the buckets known and wait until they are full again; gives the time after that."""
    take(redis, wanted, now_us=now_us)
    return now_us + 10 * SECOND


def quota(count: int, used: int = 0, day: str = "2026-01-01") -> Quota:
    return Quota(count, day, NOW // SECOND + 3600, lambda: used)


def test_a_full_bucket_grants_its_burst_and_then_one_permit_per_interval(redis: Redis) -> None:
    now = fill(redis, ask(Limit(10)))
    assert take(redis, ask(Limit(10), n=100), now_us=now).n == 10
    refused = take(redis, ask(Limit(10), n=100), now_us=now)
    assert (refused.n, refused.wait_s) == (0, 0.1)
    assert refused.refused_by == Refusal("account:1", Limit(10))
    assert take(redis, ask(Limit(10), n=100), now_us=now + 99_999).n == 0
    assert take(redis, ask(Limit(10), n=100), now_us=now + 100_000).n == 1
    assert take(redis, ask(Limit(10), n=100), now_us=now + 350_000).n == 2


def test_a_bucket_that_redis_does_not_know_starts_with_one_permit_not_with_the_burst(redis: Redis) -> None:
    assert take(redis, ask(Limit(1000), n=1000), now_us=NOW).n == 1
    assert take(redis, ask(Limit(1000), n=1000), now_us=NOW + SECOND // 10).n == 100


def test_a_bucket_fills_even_while_a_narrower_scope_refuses(redis: Redis) -> None:
    both = Ask((Scope("campaign:1", (Limit(1, 60),)), Scope("account:1", (Limit(100),))), n=50)
    assert take(redis, both, now_us=NOW).n == 1
    assert take(redis, both, now_us=NOW + SECOND).n == 0
    assert take(redis, ask(Limit(100), n=200), now_us=NOW + SECOND).n == 100


def test_a_cold_bucket_fills_up_to_the_least_that_is_asked_for(redis: Redis) -> None:
    first = take(redis, ask(Limit(100), n=10, least=10), now_us=NOW)
    assert (first.n, first.wait_s) == (0, 0.09)
    assert take(redis, ask(Limit(100), n=10, least=10), now_us=NOW + 90_000).n == 10


def test_a_least_above_the_burst_counts_as_the_burst(redis: Redis) -> None:
    now = fill(redis, ask(Limit(1, 60)))
    assert take(redis, ask(Limit(1, 60), n=10, least=10), now_us=now + 60 * SECOND).n == 1


def test_the_largest_number_that_all_scopes_allow_is_charged_to_all(redis: Redis) -> None:
    scopes = (
        Scope("campaign:1", (Limit(100, burst=30),)),
        Scope("site:1:google", (Limit(50, burst=20), Limit(600, 60, burst=12))),
        Scope("account:1", (Limit(1000), quota(500, used=3))),
    )
    now = fill(redis, Ask(scopes, n=1))
    granted = take(redis, Ask(scopes, n=100), now_us=now)
    assert granted.n == 12
    assert take(redis, ask(Limit(100, burst=30), n=100, key="campaign:1"), now_us=now).n == 18
    assert take(redis, ask(Limit(50, burst=20), n=100, key="site:1:google"), now_us=now).n == 8
    assert take(redis, ask(Limit(1000), n=2000), now_us=now).n == 988
    assert quota_used(redis, "account:1", "2026-01-01") == 3 + 1 + 12


def test_a_refusal_charges_nobody_and_names_who_makes_it_wait_longest(redis: Redis) -> None:
    fast, slow = Scope("campaign:1", (Limit(10, burst=1),)), Scope("account:1", (Limit(2, burst=1), Limit(1000, 60)))
    now = fill(redis, Ask((fast, slow), n=1))
    assert take(redis, Ask((fast, slow), n=5), now_us=now).n == 1
    refused = take(redis, Ask((fast, slow), n=5), now_us=now)
    assert (refused.n, refused.wait_s, refused.refused_by) == (0, 0.5, Refusal("account:1", Limit(2, burst=1)))
    assert take(redis, Ask((fast,), n=5), now_us=now + 100_000).n == 1


def test_a_quota_ends_at_midnight_and_not_before(redis: Redis) -> None:
    scopes = (Scope("account:1", (quota(5),)),)
    assert take(redis, Ask(scopes, n=3), now_us=NOW).n == 3
    assert take(redis, Ask(scopes, n=3), now_us=NOW).n == 2
    refused = take(redis, Ask(scopes, n=3), now_us=NOW)
    assert (refused.n, refused.wait_s) == (0, 3600)
    assert str(refused.refused_by) == "account:1: 5 per day"
    tomorrow = (Scope("account:1", (quota(5, day="2026-01-02"),)),)
    assert take(redis, Ask(tomorrow, n=9), now_us=NOW + 3600 * SECOND).n == 5


def test_a_quota_of_a_day_that_is_over_makes_the_caller_wait_a_second(redis: Redis) -> None:
    scopes = (Scope("account:1", (quota(0),)),)
    assert take(redis, Ask(scopes, n=1), now_us=NOW + 7200 * SECOND).wait_s == 1


def test_after_a_flush_the_quota_goes_on_from_what_the_caller_counted(redis: Redis) -> None:
    take(redis, Ask((Scope("account:1", (quota(100),)),), n=60), now_us=NOW)
    redis.flushdb()
    assert take(redis, Ask((Scope("account:1", (quota(100, used=60),)),), n=60), now_us=NOW).n == 40


def test_after_a_flush_no_second_burst_is_given(redis: Redis) -> None:
    now = fill(redis, ask(Limit(100)))
    assert take(redis, ask(Limit(100), n=500), now_us=now).n == 100
    redis.flushdb()
    assert take(redis, ask(Limit(100), n=500), now_us=now).n == 1


def test_a_clock_set_back_an_hour_stops_nobody_for_an_hour(redis: Redis) -> None:
    now = fill(redis, ask(Limit(10)))
    take(redis, ask(Limit(10), n=10), now_us=now)
    back = now - 3600 * SECOND
    refused = take(redis, ask(Limit(10), n=10), now_us=back)
    assert (refused.n, refused.wait_s) == (0, 0.1)


def test_permits_given_back_can_be_taken_at_once(redis: Redis) -> None:
    scopes = (Scope("site:1:google", (Limit(10),)), Scope("account:1", (Limit(100), quota(50))))
    now = fill(redis, Ask(scopes, n=1))
    assert take(redis, Ask(scopes, n=10), now_us=now).n == 10
    give_back(redis, Ask(scopes, n=10), 4)
    assert quota_used(redis, "account:1", "2026-01-01") == 7
    assert take(redis, Ask(scopes, n=10), now_us=now).n == 4


def test_giving_back_never_makes_more_than_the_burst(redis: Redis) -> None:
    now = fill(redis, ask(Limit(10)))
    take(redis, ask(Limit(10), n=3), now_us=now)
    give_back(redis, ask(Limit(10)), 3)
    give_back(redis, ask(Limit(10)), 3)
    assert take(redis, ask(Limit(10), n=100), now_us=now).n == 10


def test_giving_back_after_a_flush_makes_nothing_anew(redis: Redis) -> None:
    scopes = (Scope("account:1", (Limit(10), quota(50))),)
    take(redis, Ask(scopes, n=1), now_us=NOW)
    redis.flushdb()
    give_back(redis, Ask(scopes, n=1), 1)
    assert redis.keys("*") == []


def test_many_asks_go_in_one_call_even_when_redis_forgot_the_script(redis: Redis) -> None:
    redis.script_flush()
    account = Scope("account:1", (Limit(1000), quota(1000, used=7)))
    sites = [Scope(f"site:1:{name}", (Limit(5, burst=5),)) for name in ("google", "yahoo")]
    asks = [Ask((site, account), n=3) for site in sites] + [Ask((Scope("campaign:2"),), n=8)]
    assert [grant.n for grant in take_many(redis, asks, now_us=NOW)] == [1, 0, 8]
    later = take_many(redis, asks, now_us=NOW + 10 * SECOND)
    assert [grant.n for grant in later] == [3, 3, 8]
    assert quota_used(redis, "account:1", "2026-01-01") == 14


def test_without_limits_redis_is_not_asked(redis: Redis) -> None:
    nowhere = Redis(port=1)
    assert take(nowhere, Ask((Scope("campaign:1"),), n=77)).n == 77
    assert take_many(nowhere, [Ask((), n=3)])[0].n == 3
    give_back(nowhere, Ask((), n=3), 3)


def test_asking_for_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing is asked for"):
        Ask((), n=0)


def test_without_redis_nothing_may_be_sent() -> None:
    nowhere = Redis(port=1, retry=Retry(NoBackoff(), 0))
    for call in (
        lambda: take(nowhere, ask(Limit(1))),
        lambda: take_many(nowhere, [ask(Limit(1))]),
        lambda: give_back(nowhere, ask(Limit(1)), 1),
        lambda: quota_used(nowhere, "account:1", "2026-01-01"),
    ):
        with pytest.raises(LimitsUnavailable):
            call()


def test_every_key_expires(redis: Redis) -> None:
    take(redis, Ask((Scope("account:1", (Limit(10), Limit(10, 3600), quota(9))),), n=1))
    keys = list(redis.scan_iter())
    assert len(keys) == 3
    assert all(0 < redis.ttl(key) <= 48 * 3600 for key in keys)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    steps=st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 300), st.integers(1, 20)), max_size=40),
    count=st.sampled_from([0.3, 1, 7, 100, 5000]),
    burst=st.sampled_from([None, 1, 3, 50]),
)
def test_no_window_ever_holds_more_than_its_rate_and_the_burst(
    redis: Redis, steps: list[tuple[int, int, int]], count: float, burst: float | None
) -> None:
    redis.flushdb()
    limit, now, granted = Limit(count, burst=burst), NOW, []
    for wait, n, least in steps:
        now += wait
        grant = take(redis, ask(limit, n=n, least=least), now_us=now)
        assert 0 <= grant.n <= n
        assert (grant.n == 0) == (grant.refused_by is not None)
        granted.append((now, grant.n))
    for first, (start, _) in enumerate(granted):
        in_window = 0
        for at, n in granted[first:]:
            in_window += n
            assert in_window <= limit.burst_permits + (at - start) / SECOND * limit.per_second + 0.001
