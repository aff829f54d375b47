from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from delivery.limits.values import Limit
from delivery.shaping.effective import shape_path
from delivery.shaping.pace import FULL, Pace
from delivery.shaping.profiles import BY_SITE, Profile
from delivery.shaping.rules import Action, Measure

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOGLE = BY_SITE["google"]


def measure(action: Action, value: int = 0, *, began: int = 0, minutes: int = 30) -> Measure:
    began_at = NOW + timedelta(minutes=began)
    return Measure("r", action, value, "path", began_at, began_at + timedelta(minutes=minutes), "421 no", "because")


def test_without_measures_the_profile_holds() -> None:
    effective = shape_path(GOOGLE, [], FULL, NOW)
    assert (effective.connections, effective.messages_per_connection) == (5, 50)
    assert effective.limits == (Limit(100),)
    assert effective.opening == Limit(100, 60)
    assert effective.suspended is None


def test_the_strictest_measure_counts_and_none_loosens_the_profile() -> None:
    measures = [
        measure(Action.LOWER_RATE, 600),
        measure(Action.LOWER_RATE, 30),
        measure(Action.LOWER_CONNECTIONS, 100),
        measure(Action.LOWER_MESSAGES_PER_CONNECTION, 2),
    ]
    effective = shape_path(GOOGLE, measures, FULL, NOW)
    assert effective.messages_per_second == 0.5
    assert (effective.connections, effective.messages_per_connection) == (5, 2)


def test_a_measure_holds_from_its_beginning_until_just_before_its_end() -> None:
    suspension = measure(Action.SUSPEND, minutes=30)
    at = [shape_path(GOOGLE, [suspension], FULL, NOW + timedelta(minutes=m)).suspended for m in (-1, 0, 29, 30)]
    assert at == [None, suspension, suspension, None]


def test_of_two_suspensions_the_longer_one_is_named() -> None:
    short, long = measure(Action.SUSPEND, minutes=5), measure(Action.SUSPEND, minutes=50)
    assert shape_path(GOOGLE, [long, short], FULL, NOW).suspended is long


def test_the_pace_slows_the_rate_but_never_under_one_a_minute() -> None:
    assert shape_path(GOOGLE, [], Pace(0.25, NOW), NOW).messages_per_second == 25
    assert shape_path(GOOGLE, [], Pace(1e-9, NOW), NOW).messages_per_second == pytest.approx(1 / 60)
    slow = Profile("slow", messages_per_second=0.001)
    assert shape_path(slow, [], Pace(0.5, NOW), NOW).messages_per_second == 0.001


def test_a_path_without_a_rate_stays_unlimited_until_it_is_throttled() -> None:
    free = Profile("free", messages_per_second=None, connections_per_minute=None)
    assert shape_path(free, [], FULL, NOW).limits == ()
    assert shape_path(free, [], FULL, NOW).opening is None
    assert shape_path(free, [], Pace(0.5, NOW), NOW).limits == (Limit(50),)
    assert shape_path(free, [measure(Action.LOWER_RATE, 60)], FULL, NOW).limits == (Limit(1),)
