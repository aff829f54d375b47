from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from delivery.limits.values import Limit, Refusal, Scope, daily_quota


def test_a_limit_bursts_one_second_by_default_and_at_least_one_permit() -> None:
    assert Limit(100).burst_permits == 100
    assert Limit(600, 60).burst_permits == 10
    assert Limit(10, 3600).burst_permits == 1
    assert Limit(100, burst=5).burst_permits == 5


@pytest.mark.parametrize(("count", "seconds", "burst"), [(0, 1, None), (-1, 1, None), (1, 0, None), (1, 1, 0.5)])
def test_a_limit_that_lets_nothing_through_is_refused(count: float, seconds: float, burst: float | None) -> None:
    with pytest.raises(ValueError, match="positive rate"):
        Limit(count, seconds, burst)


def test_a_slowed_limit_keeps_its_period_shrinks_its_burst_and_stops_at_one_a_minute() -> None:
    assert Limit(100, burst=50).slowed(0.5) == Limit(50, burst=25)
    assert Limit(100, burst=50).slowed(0) == Limit(1 / 60, burst=1)
    assert Limit(6000, 60).slowed(0).count == pytest.approx(1)
    assert Limit(6, 3600).slowed(0.01) == Limit(6, 3600)


def test_the_day_turns_in_the_zone_of_the_provider() -> None:
    now = datetime(2026, 1, 1, 17, 30, tzinfo=UTC)
    shanghai = daily_quota(500, ZoneInfo("Asia/Shanghai"), now, lambda: 0)
    new_york = daily_quota(500, ZoneInfo("America/New_York"), now, lambda: 0)
    assert (shanghai.day, shanghai.ends_at) == ("2026-01-02", int(datetime(2026, 1, 2, 16, tzinfo=UTC).timestamp()))
    assert (new_york.day, new_york.ends_at) == ("2026-01-01", int(datetime(2026, 1, 2, 5, tzinfo=UTC).timestamp()))


def test_a_day_of_23_hours_ends_at_its_own_midnight() -> None:
    spring = daily_quota(1, ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 12, tzinfo=UTC), lambda: 0)
    assert spring.ends_at == int(datetime(2026, 3, 29, 22, tzinfo=UTC).timestamp())


def test_limits_read_as_words() -> None:
    words = [str(Limit(100)), str(Limit(2.5)), str(Limit(600, 60)), str(Limit(9000, 3600)), str(Limit(1, 10))]
    assert words == ["100 per second", "2.5 per second", "600 per minute", "9000 per hour", "1 per 10 s"]
    assert str(Refusal("account:3", Limit(100))) == "account:3: 100 per second"
    assert str(Refusal("account:3", None)) == "account:3: waits for its share"
    assert Scope("campaign:1").windows == ()
