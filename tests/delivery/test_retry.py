from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.inbound.taxonomy import Category
from delivery.retry import SCHEDULE_MINUTES, GiveUp, RetryAt, decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATE = NOW + timedelta(days=30)


def minutes_until(
    attempt: int, category: str = Category.TRANSIENT, retry_after: int | None = None, seed: int = 1
) -> float:
    verdict = decide(
        attempt=attempt, category=category, retry_after=retry_after, now=NOW, expires_at=LATE, rng=Random(seed)
    )
    assert isinstance(verdict, RetryAt)
    return (verdict.at - NOW) / timedelta(minutes=1)


@pytest.mark.parametrize(("attempt", "minutes"), [*enumerate(SCHEDULE_MINUTES, 1), (8, 240), (50, 240)])
def test_the_schedule_grows_with_the_attempts_and_is_jittered(attempt: int, minutes: int) -> None:
    waits = {minutes_until(attempt, seed=seed) for seed in range(50)}
    assert len(waits) == 50
    assert minutes * 0.8 <= min(waits) < minutes < max(waits) <= minutes * 1.2


def test_greylisted_mail_comes_soon_and_from_the_same_source() -> None:
    waits = [minutes_until(2, Category.GREYLIST, seed=seed) for seed in range(50)]
    assert 5 <= min(waits) < 7
    assert 13 < max(waits) <= 15
    verdict = decide(attempt=9, category="greylist", retry_after=None, now=NOW, expires_at=LATE, rng=Random(1))
    assert isinstance(verdict, RetryAt)
    assert verdict.same_source
    assert verdict.at - NOW > timedelta(hours=3)


def test_other_mail_may_leave_from_another_source() -> None:
    verdict = decide(attempt=1, category="", retry_after=None, now=NOW, expires_at=LATE, rng=Random(1))
    assert isinstance(verdict, RetryAt)
    assert not verdict.same_source


def test_a_server_that_asks_for_an_hour_gets_an_hour_and_a_little_more() -> None:
    for category in Category.RATE_LIMIT, Category.GREYLIST:
        wait = minutes_until(1, category, retry_after=3600)
        assert 60 + 1 / 6 <= wait <= (60 + 1 / 6) * 1.2


def test_a_server_that_asks_for_a_second_does_not_make_us_hurry() -> None:
    assert minutes_until(1, retry_after=1) >= 4


def test_mail_that_would_come_too_late_is_given_up() -> None:
    for retry_after in (None, 86_400):
        verdict = decide(
            attempt=7, category="", retry_after=retry_after, now=NOW, expires_at=NOW + timedelta(hours=3), rng=Random(1)
        )
        assert verdict == GiveUp("expired")


@given(
    attempt=st.integers(1, 1000),
    category=st.sampled_from(["", *Category]),
    retry_after=st.none() | st.integers(0, 86_400),
    lifetime_s=st.integers(-1000, 200_000),
    seed=st.integers(),
)
def test_never_before_it_was_asked_for_and_never_after_the_end(
    attempt: int, category: str, retry_after: int | None, lifetime_s: int, seed: int
) -> None:
    ends = NOW + timedelta(seconds=lifetime_s)
    verdict = decide(
        attempt=attempt, category=category, retry_after=retry_after, now=NOW, expires_at=ends, rng=Random(seed)
    )
    if isinstance(verdict, RetryAt):
        assert NOW + timedelta(minutes=4, seconds=-1) <= verdict.at < ends or retry_after is not None
        assert verdict.at >= NOW + timedelta(seconds=retry_after or 0)
        assert verdict.at < ends
    else:
        assert verdict == GiveUp("expired")


@given(st.integers())
def test_within_48_hours_mail_is_tried_often_enough_and_not_too_often(seed: int) -> None:
    rng, now, attempt = Random(seed), NOW, 1
    while True:
        verdict = decide(
            attempt=attempt, category="", retry_after=None, now=now, expires_at=NOW + timedelta(hours=48), rng=rng
        )
        if isinstance(verdict, GiveUp):
            break
        attempt, now = attempt + 1, verdict.at
    assert 14 <= attempt <= 21
