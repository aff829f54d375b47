"""What holds for a path right now: its profile, lowered by measures and pace; and the scopes made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from delivery.limits.values import SLOWEST_PER_SECOND, Limit

from .pace import Pace
from .profiles import Profile
from .rules import Action, Measure

DEFAULT_PER_SECOND = 100.0
_UNLIMITED = float("inf")


@dataclass(frozen=True, slots=True)
class Effective:
    """The limits of a path now. `suspended` is the measure that ends last of those that stop it, or None."""

    connections: int
    messages_per_connection: int
    connections_per_minute: int | None
    messages_per_second: float | None
    suspended: Measure | None
    messages_per_hour: int | None = None
    messages_per_day: int | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The windows of the path's scope, without the day's quota, which needs a zone."""
        second = () if self.messages_per_second is None else (Limit(self.messages_per_second),)
        hour = () if self.messages_per_hour is None else (Limit(self.messages_per_hour, 3600),)
        return (*second, *hour)

    @property
    def opening(self) -> Limit | None:
        """How fast new connections may be opened."""
        return None if self.connections_per_minute is None else Limit(self.connections_per_minute, 60)


def shape_path(profile: Profile, measures: Iterable[Measure], pace: Pace, now: datetime) -> Effective:
    """The profile under those of the measures that run at `now`; `measures` are those of the path's targets.

    Of several measures the strictest counts. Where the profile sets no rate, a pace under 1 counts from the default
    profile's 100 a second.
    """
    running = [measure for measure in measures if measure.began_at <= now < measure.until]
    suspensions = [measure for measure in running if measure.action == Action.SUSPEND]
    paced = _paced(profile.messages_per_second, pace)
    slowest = min([paced, *(measure.value / 60 for measure in running if measure.action == Action.LOWER_RATE)])
    return Effective(
        connections=_least(running, Action.LOWER_CONNECTIONS, profile.connections),
        messages_per_connection=_least(running, Action.LOWER_MESSAGES_PER_CONNECTION, profile.messages_per_connection),
        connections_per_minute=profile.connections_per_minute,
        messages_per_second=None if slowest == _UNLIMITED else slowest,
        suspended=max(suspensions, key=lambda measure: measure.until, default=None),
        messages_per_hour=profile.messages_per_hour,
        messages_per_day=profile.messages_per_day,
    )


def _paced(per_second: float | None, pace: Pace) -> float:
    """The rate that the pace leaves, not under one message a minute; infinite where nothing limits it."""
    if per_second is None and pace.factor == 1:
        return _UNLIMITED
    full = DEFAULT_PER_SECOND if per_second is None else per_second
    return max(full * pace.factor, min(full, SLOWEST_PER_SECOND))


def _least(measures: Iterable[Measure], action: Action, otherwise: int) -> int:
    """The lowest value that a measure of this kind asks for, or `otherwise` where that is lower."""
    return min([otherwise, *(measure.value for measure in measures if measure.action == action)])
