"""Decisions about campaigns as pure functions of values and `now`: allowed moves, and what a wall time means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

# A time picked to the minute may be up to a minute old when the form arrives.
PAST_TOLERANCE = timedelta(minutes=1)

EDITABLE = frozenset({"draft"})
SCHEDULABLE = frozenset({"draft"})
UNSCHEDULABLE = frozenset({"scheduled"})
PAUSABLE = frozenset({"preparing", "sending"})
CANCELLABLE = frozenset({"scheduled", "preparing", "sending", "paused"})
LAUNCHED = frozenset({"preparing", "sending", "paused", "finished"})


class NoSuchTime(ValueError):
    """The clocks jump over this wall time in this zone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall time in a zone, resolved: `at` is aware UTC; `note` says in words what was decided, if anything."""

    at: datetime
    note: str = ""


def is_zone(name: str) -> bool:
    """Whether the time zone database knows the name, such as Europe/Berlin."""
    return name in available_timezones()


def resolve_wall_time(wall: datetime, zone_name: str) -> Moment:
    """Turn a naive wall time into UTC (PEP 495); the hour that happens twice in autumn means its first pass.

    Raises NoSuchTime, in words, for the hour that spring skips.
    """
    zone = ZoneInfo(zone_name)
    first = wall.replace(tzinfo=zone, fold=0)
    at = first.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != wall:
        after = at.astimezone(zone)
        raise NoSuchTime(
            f"On {wall:%d %B %Y} the clocks in {zone_name} go forward and skip {wall:%H:%M}. Try {after:%H:%M}."
        )
    if wall.replace(tzinfo=zone, fold=1).utcoffset() != first.utcoffset():
        return Moment(at, f"The clocks go back that night: {wall:%H:%M} happens twice, and the first one is meant.")
    return Moment(at)


def is_past(send_at: datetime, now: datetime) -> bool:
    """Whether a chosen time has gone by."""
    return send_at < now - PAST_TOLERANCE


def needs_typed_number(n_total: int) -> bool:
    """Whether the sender must type the number of people before a send this large is accepted."""
    return n_total > 500
