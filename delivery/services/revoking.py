"""What people take back: measures, slowed paces and stopped warm-ups."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from redis import Redis

from delivery.models import ShapingMeasure, SitePace, WarmUp
from delivery.shaping.counters import forget_counters


def revoke_measure(measure: ShapingMeasure, *, by: AbstractBaseUser, redis: Redis, now: datetime) -> bool:
    """The measure holds no more and its rule counts from zero on this target; False where it was over already.

    The counters go first: a reply in between would count as one, not bring the measure back.
    """
    forget_counters(redis, measure.rule, measure.target)
    running = ShapingMeasure.objects.filter(pk=measure.pk, revoked_at=None, until__gt=now)
    return running.update(revoked_at=now, revoked_by=by) == 1


def restore_pace(pace: SitePace) -> bool:
    """The path is at its full rate again."""
    return SitePace.objects.filter(pk=pace.pk).delete()[0] > 0


def continue_warm_up(warm_up: WarmUp, *, now: datetime) -> bool:
    """A stopped warm-up sends again, at the cap on which it stopped; False where it was not stopped."""
    if warm_up.stopped_at is None:
        return False
    days = max(0, (now.date() - warm_up.stopped_at.date()).days)
    stopped = WarmUp.objects.filter(pk=warm_up.pk, stopped_at=warm_up.stopped_at)
    return (
        stopped.update(stopped_at=None, stopped_reason="", held_days=warm_up.held_days + days, judged_on=now.date())
        == 1
    )
