"""What a wall time means, and which moves a state allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.policy import Moment, NoSuchTime, is_past, is_zone, needs_typed_number, resolve_wall_time

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wall(text: str) -> datetime:
    """A wall time, without a zone."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("on_the_clock", "zone", "at"),
    [
        (wall("2026-01-15 09:00"), "Europe/Berlin", datetime(2026, 1, 15, 8, tzinfo=UTC)),
        (wall("2026-07-15 09:00"), "Europe/Berlin", datetime(2026, 7, 15, 7, tzinfo=UTC)),
        (wall("2026-01-15 09:00"), "Asia/Kathmandu", datetime(2026, 1, 15, 3, 15, tzinfo=UTC)),
        (wall("2026-01-01 00:00"), "Pacific/Kiritimati", datetime(2025, 12, 31, 10, tzinfo=UTC)),
        (wall("2026-01-15 09:00"), "UTC", datetime(2026, 1, 15, 9, tzinfo=UTC)),
    ],
)
def test_a_plain_wall_time_is_converted_without_a_word(on_the_clock: datetime, zone: str, at: datetime) -> None:
    assert resolve_wall_time(on_the_clock, zone) == Moment(at)


@pytest.mark.parametrize(
    ("on_the_clock", "zone", "instead"),
    [
        (wall("2026-03-29 02:30"), "Europe/Berlin", "03:30"),
        (wall("2026-03-08 02:00"), "America/New_York", "03:00"),
        (wall("2026-10-04 02:10"), "Australia/Lord_Howe", "02:40"),
    ],
)
def test_the_hour_that_spring_skips_is_refused_with_the_next_that_exists(
    on_the_clock: datetime, zone: str, instead: str
) -> None:
    with pytest.raises(NoSuchTime, match=f"Try {instead}"):
        resolve_wall_time(on_the_clock, zone)


def test_the_hour_that_autumn_repeats_means_its_first_pass_and_says_so() -> None:
    moment = resolve_wall_time(wall("2026-10-25 02:30"), "Europe/Berlin")

    assert moment.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "happens twice" in moment.note


@given(
    st.datetimes(min_value=wall("2020-01-01 00:00"), max_value=wall("2035-01-01 00:00")),
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Tehran", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_a_wall_time_that_resolves_shows_the_same_on_the_clock_there(on_the_clock: datetime, zone: str) -> None:
    try:
        at = resolve_wall_time(on_the_clock, zone).at
    except NoSuchTime:
        return
    assert at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == on_the_clock


def test_a_time_picked_to_the_minute_is_not_past_within_that_minute() -> None:
    assert not is_past(NOW, NOW + timedelta(seconds=60))
    assert is_past(NOW, NOW + timedelta(seconds=61))


def test_only_names_of_the_time_zone_database_are_zones() -> None:
    assert is_zone("Europe/Berlin")
    assert not is_zone("Mars/Olympus_Mons")
    assert not is_zone("")


def test_the_number_is_typed_from_501_people_on() -> None:
    assert not needs_typed_number(500)
    assert needs_typed_number(501)
