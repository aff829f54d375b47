"""The pace of a path: halved when the site throttles, raised slowly while it is content (AIMD)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.inbound.taxonomy import CONSEQUENCES, Category, RouteAction
from delivery.limits.values import SLOWEST_PER_SECOND

DECREASE = 0.5
INCREASE_PER_MINUTE = 0.05
HOLD = timedelta(seconds=30)
"""Replies to what was under way when the pace was halved say nothing about the new pace."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A factor (above 0, at most 1) on a path's rate, and when it last changed (None: never slowed)."""

    factor: float = 1.0
    changed_at: datetime | None = None


FULL = Pace()


def throttles(category: Category) -> bool:
    """True for answers that say "slower"."""
    return CONSEQUENCES[category].on_route == RouteAction.SLOW_DOWN


def next_pace(pace: Pace, *, throttled: bool, per_second: float, now: datetime) -> Pace:
    """The pace after an answer: half when `throttled`, else 5 % of full more per whole minute without a throttle.

    `per_second` is the path's full rate: the pace never makes less than one message a minute of it.
    """
    if throttled:
        return _slower(pace, per_second, now)
    if pace.changed_at is None:
        return pace
    minutes = int((now - pace.changed_at) / timedelta(minutes=1))
    if minutes < 1:
        return pace
    factor = min(1.0, pace.factor + minutes * INCREASE_PER_MINUTE)
    return FULL if factor == 1.0 else Pace(factor, pace.changed_at + timedelta(minutes=minutes))


def _slower(pace: Pace, per_second: float, now: datetime) -> Pace:
    if pace.changed_at is not None and pace.factor < 1 and now - pace.changed_at < HOLD:
        return pace
    floor = min(1.0, SLOWEST_PER_SECOND / per_second)
    return Pace(max(pace.factor * DECREASE, floor), now)
