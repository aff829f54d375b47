from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.inbound.taxonomy import Category
from delivery.shaping.pace import FULL, HOLD, Pace, next_pace, throttles

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def after(pace: Pace, seconds: float, *, throttled: bool, per_second: float = 100) -> Pace:
    return next_pace(pace, throttled=throttled, per_second=per_second, now=NOW + timedelta(seconds=seconds))


def test_rate_and_connection_limits_are_throttles_and_a_full_mailbox_is_not() -> None:
    throttling = {category for category in Category if throttles(category)}
    assert throttling == {Category.RATE_LIMIT, Category.CONNECTION_LIMIT}


def test_a_throttle_halves_the_pace_and_the_replies_under_way_do_not_halve_it_again() -> None:
    halved = after(FULL, 0, throttled=True)
    assert halved == Pace(0.5, NOW)
    assert after(halved, HOLD.total_seconds() - 1, throttled=True) == halved
    assert after(halved, HOLD.total_seconds(), throttled=True).factor == 0.25


def test_each_clean_minute_gives_five_percent_back() -> None:
    halved = Pace(0.5, NOW)
    assert after(halved, 59, throttled=False) == halved
    assert after(halved, 61, throttled=False) == Pace(0.55, NOW + timedelta(minutes=1))
    assert after(halved, 10 * 60, throttled=False) == FULL
    assert after(FULL, 60, throttled=False) == FULL


def test_a_throttle_during_recovery_halves_at_once_after_the_hold() -> None:
    assert after(Pace(0.8, NOW), 45, throttled=True) == Pace(0.4, NOW + timedelta(seconds=45))


def test_the_pace_never_makes_less_than_one_a_minute() -> None:
    pace = FULL
    for step in range(40):
        pace = after(pace, 30 * step, throttled=True, per_second=2)
    assert pace.factor * 2 * 60 == pytest.approx(1)
    assert after(FULL, 0, throttled=True, per_second=1 / 3600).factor == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 600)), max_size=50), st.floats(0.001, 10_000))
def test_the_factor_stays_between_the_floor_and_one(steps: list[tuple[bool, float]], per_second: float) -> None:
    pace, seconds = FULL, 0.0
    for throttled, wait in steps:
        seconds += wait
        pace = after(pace, seconds, throttled=throttled, per_second=per_second)
        assert min(1, 1 / 60 / per_second) <= pace.factor <= 1
