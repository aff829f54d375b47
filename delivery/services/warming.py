"""Warm-ups follow what receivers make of the mail: they go on, hold their cap for a day, or stop."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from delivery.models import WarmUp
from delivery.queries import reception_since
from delivery.warmup import IDLE_DAYS, Hold, Stop, judge_reception

log = structlog.get_logger()

LOOKED_BACK = timedelta(hours=24)


def judge_warm_ups(*, now: datetime) -> int:
    """Every running warm-up is judged by its last 24 hours; returns how many were stopped."""
    running = WarmUp.objects.filter(enabled=True, stopped_at=None).select_related("account")
    return sum(_judge(warm_up, now) for warm_up in running)


def today_of(warm_up: WarmUp, *, now: datetime) -> date:
    """The calendar day in the account's zone, by which its caps count."""
    return now.astimezone(ZoneInfo(warm_up.account.quota_timezone)).date()


def _judge(warm_up: WarmUp, now: datetime) -> bool:
    today = today_of(warm_up, now=now)
    reception = reception_since(warm_up.account_id, warm_up.source_id or 0, warm_up.site, now - LOOKED_BACK)
    rows = WarmUp.objects.filter(pk=warm_up.pk, stopped_at=None)
    verdict = judge_reception(reception)
    if isinstance(verdict, Stop):
        log.info("warm_up_stopped", warm_up=warm_up.pk, reason=verdict.reason)
        return rows.update(stopped_at=now, stopped_reason=verdict.reason[:300]) == 1
    if reception.n_sent:
        _restart_if_cold(warm_up, today)
        rows.update(last_sent_on=today)
    if warm_up.judged_on != today:
        held = isinstance(verdict, Hold)
        note = verdict.reason[:300] if isinstance(verdict, Hold) else ""
        # Once a day, by whichever worker is first.
        rows.filter(judged_on=warm_up.judged_on).update(judged_on=today, held_days=warm_up.held_days + held, note=note)
    return False


def _restart_if_cold(warm_up: WarmUp, today: date) -> None:
    """A source that was idle for 30 days began again with its first message: the curve's first day is today."""
    if warm_up.last_sent_on is not None and (today - warm_up.last_sent_on).days >= IDLE_DAYS:
        WarmUp.objects.filter(pk=warm_up.pk, last_sent_on=warm_up.last_sent_on).update(started_on=today, held_days=0)
