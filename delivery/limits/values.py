"""What a limit is and what an answer looks like: values without Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

SLOWEST_PER_SECOND = 1 / 60
"""Adaptive shaping never goes below one message a minute, or nothing would show when a site recovers."""

_PERIODS = {1: "second", 60: "minute", 3600: "hour", 86400: "24 hours"}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` per `seconds`, evenly spread, with `burst` permits that may go at once.

    `burst` None means one second's worth, at least one permit. Any window of W seconds holds at most
    `burst + W * per_second` permits (GCRA, ITU-T I.371).
    """

    count: float
    seconds: float = 1
    burst: float | None = None

    def __post_init__(self) -> None:
        if self.count <= 0 or self.seconds <= 0 or (self.burst is not None and self.burst < 1):
            raise ValueError(f"a limit needs a positive rate and a burst of at least one: {self!r}")

    @property
    def per_second(self) -> float:
        """Permits per second."""
        return self.count / self.seconds

    @property
    def burst_permits(self) -> float:
        """Permits that may go at once."""
        return max(1.0, self.per_second) if self.burst is None else self.burst

    def slowed(self, factor: float) -> Limit:
        """This limit at `factor` (0 to 1) of its rate, but never under one a minute unless it already was."""
        rate = max(self.per_second * factor, min(self.per_second, SLOWEST_PER_SECOND))
        burst = None if self.burst is None else max(1.0, self.burst * rate / self.per_second)
        return replace(self, count=rate * self.seconds, burst=burst)

    def __str__(self) -> str:
        return f"{self.count:g} per {_PERIODS.get(int(self.seconds), f'{self.seconds:g} s')}"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `count` in one calendar day of the provider's zone.

    `day` names that day in Redis ("2026-11-24"); `ends_at` is its end as Unix seconds. `count_used` is asked for the
    permits used so far when Redis does not know the day (its first message, or Redis was flushed).
    """

    count: int
    day: str
    ends_at: int
    count_used: Callable[[], int] = field(compare=False, hash=False)

    def __str__(self) -> str:
        return f"{self.count} per day"


def daily_quota(count: int, zone: ZoneInfo, now: datetime, count_used: Callable[[], int]) -> Quota:
    """The quota of the calendar day that it is in `zone` (days of 23 and 25 hours included)."""
    today = now.astimezone(zone).date()
    ends_at = datetime.combine(today + timedelta(days=1), time(), zone)
    return Quota(count, today.isoformat(), int(ends_at.timestamp()), count_used)


Window = Limit | Quota


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing that is limited, by all its windows at once.

    `key` is unique and stable, such as "account:3", "site:3:google" (a site on the path of account 3),
    "source:192.0.2.1" or "campaign:17". Two limits of one scope have different `seconds`.
    """

    key: str
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """Who asks, where campaigns share the widest scope by weight; `lane` 0 goes before lane 1 (see lanes.py)."""

    claimant: str
    weight: int = 1
    lane: int = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stands in the way. `window` None means another claimant's turn at the widest scope."""

    scope: str
    window: Window | None

    def __str__(self) -> str:
        return f"{self.scope}: waits for its share" if self.window is None else f"{self.scope}: {self.window}"


@dataclass(frozen=True, slots=True)
class Grant:
    """`n` permits, charged to every scope at `at_us` (Redis time, microseconds since 1970).

    With `n` 0, `refused_by` says what stands in the way and `wait_s` after how many seconds asking again may help.
    """

    n: int
    at_us: int
    refused_by: Refusal | None = None
    wait_s: float = 0.0
