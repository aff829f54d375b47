from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.warmup import (
    DEDICATED_IP,
    Curve,
    GeometricCurve,
    Hold,
    Member,
    Reception,
    Rise,
    Stop,
    TableCurve,
    Warmth,
    allot,
    day_of,
    judge_reception,
)

TODAY = date(2026, 3, 1)


def test_the_geometric_curve_goes_from_200_to_200000_in_42_days() -> None:
    caps = [GeometricCurve().cap(day) for day in (0, 1, 20, 40, 41, 42, 400)]
    assert caps == [200, 237, 5814, 168989, 200000, None, None]


def test_a_table_gives_one_cap_per_day_and_then_none() -> None:
    assert [TableCurve((50, 100)).cap(day) for day in (-1, 0, 1, 2)] == [50, 50, 100, None]
    assert [DEDICATED_IP.cap(day) for day in (0, 15, 20, 21)] == [50, 100_000, 1_000_000, None]


@pytest.mark.parametrize("caps", [(), (0, 1), (5, 4)])
def test_a_table_that_does_not_rise_is_refused(caps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rises"):
        TableCurve(caps)


@pytest.mark.parametrize(("first", "last", "days"), [(0, 10, 5), (10, 5, 5), (1, 10, 1)])
def test_a_curve_that_does_not_rise_is_refused(first: int, last: int, days: int) -> None:
    with pytest.raises(ValueError, match="rises"):
        GeometricCurve(first, last, days)


@given(first=st.integers(1, 1000), rise=st.integers(0, 10**6), days=st.integers(2, 100))
def test_a_curve_never_falls(first: int, rise: int, days: int) -> None:
    curve: Curve = GeometricCurve(first, first + rise, days)
    caps = [curve.cap(day) or 0 for day in range(days)]
    assert caps == sorted(caps)
    assert (caps[0], caps[-1]) == (first, first + rise)


def test_days_count_from_the_start_without_those_that_were_held() -> None:
    started = TODAY - timedelta(days=10)
    assert day_of(Warmth(started), TODAY) == 10
    assert day_of(Warmth(started, TODAY, held_days=3), TODAY) == 7
    assert day_of(Warmth(TODAY + timedelta(days=1)), TODAY) == 0


def test_after_thirty_idle_days_a_source_is_cold_again() -> None:
    started = TODAY - timedelta(days=100)
    assert day_of(Warmth(started, TODAY - timedelta(days=29)), TODAY) == 100
    assert day_of(Warmth(started, TODAY - timedelta(days=30)), TODAY) == 0


def test_what_a_cold_member_may_not_take_overflows_to_warm_ones() -> None:
    assert allot(1000, [Member("cold", 200), Member("warm", None)]) == {"cold": 200, "warm": 800}
    assert allot(1000, [Member("cold", 200), Member("a", None, 3), Member("b", None, 1)]) == {
        "cold": 200,
        "a": 600,
        "b": 200,
    }
    assert allot(100, [Member("cold", 200), Member("warm", None)]) == {"cold": 50, "warm": 50}


def test_without_a_warm_member_the_rest_waits() -> None:
    assert allot(1000, [Member("a", 200), Member("b", 0)]) == {"a": 200, "b": 0}
    assert allot(10, []) == {}


@given(
    n=st.integers(0, 100_000),
    members=st.lists(st.tuples(st.none() | st.integers(0, 5000), st.integers(1, 20)), min_size=1, max_size=8),
)
def test_nobody_takes_more_than_its_cap_and_nothing_is_left_while_there_is_room(
    n: int, members: list[tuple[int | None, int]]
) -> None:
    pool = [Member(str(i), left, weight) for i, (left, weight) in enumerate(members)]
    taken = allot(n, pool)
    assert all(member.left is None or taken[member.key] <= member.left for member in pool)
    room = n if any(member.left is None for member in pool) else sum(member.left or 0 for member in pool)
    assert sum(taken.values()) == min(n, room)


@pytest.mark.parametrize(
    ("reception", "verdict"),
    [
        (Reception(99, 50, 50), Rise()),
        (Reception(1000, 30, 0), Rise()),
        (Reception(1000, 31, 0), Stop("3.1% of 1000 messages bounced; a warm-up stops above 3%")),
        (Reception(1000, 0, 1), Hold("0.10% of 1000 messages drew a complaint; the cap rises below 0.10%")),
        (Reception(1000, 0, 3), Stop("0.30% of 1000 messages drew a complaint; a warm-up stops at 0.30%")),
        (Reception(10_000, 0, 9), Rise()),
    ],
)
def test_bounces_and_complaints_stop_a_warm_up(reception: Reception, verdict: Rise | Hold | Stop) -> None:
    assert judge_reception(reception) == verdict
