"""The automatic brake at work: campaigns that are being sent are judged by what came of them, a person resumes."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection, transaction

from campaigns.models import Campaign
from campaigns.services import pause_campaign
from delivery.brake import BrakePolicy, Pause, Results, judge_campaign
from delivery.models import Brake, Braking
from delivery.queries import example_reply, results_of

log = structlog.get_logger()

BRAKING = 0x6272616B


@transaction.atomic
def brake_campaigns(*, now: datetime) -> list[int]:
    """Campaigns over a threshold are paused with the reason; gives their ids. Cost does not grow with messages sent.

    One tick at a time, by an advisory lock: two that judge the same facts would pause what a person just resumed.
    """
    if not _is_only_tick():
        return []
    policies = _policies()
    sending = Campaign.objects.filter(state=Campaign.State.SENDING).values_list("pk", "brand_id")
    return [pk for pk, brand_id in sending if _brake(pk, policies.get(brand_id, policies[None]), now)]


def brake_of(campaign_id: int) -> Braking | None:
    """The braking that a campaign stands by now; None where it moves, or where a person paused it."""
    if not Campaign.objects.filter(pk=campaign_id, state=Campaign.State.PAUSED).exists():
        return None
    return Braking.objects.filter(campaign_id=campaign_id, released_at=None).first()


def _is_only_tick() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [BRAKING])
        row = cursor.fetchone()
    return bool(row and row[0])


def _policies() -> dict[int | None, BrakePolicy | None]:
    """By brand; None: of every other brand."""
    return {None: BrakePolicy(), **{brake.brand_id: brake.policy for brake in Brake.objects.all()}}


def _brake(campaign_id: int, policy: BrakePolicy | None, now: datetime) -> bool:
    last = Braking.objects.filter(campaign_id=campaign_id).first()
    if policy is None and (last is None or last.released_at is not None):
        return False
    results = results_of(campaign_id)
    if last is not None and last.released_at is None:
        _release(last, results, now)
        return False
    known = last.results if last is not None else Results(0)
    verdict = judge_campaign(results.since(known), policy) if policy else None
    return verdict is not None and _pause(campaign_id, verdict, results, resumed=last is not None, now=now)


def _release(braking: Braking, results: Results, now: datetime) -> None:
    """Somebody resumed the campaign: what is known by now is forgiven."""
    Braking.objects.filter(pk=braking.pk, released_at=None).update(released_at=now, **_columns(results))


def _pause(campaign_id: int, verdict: Pause, results: Results, *, resumed: bool, now: datetime) -> bool:
    since = "Since it was resumed, " if resumed else ""
    reply = example_reply(campaign_id, verdict.cause)
    words = f" For example: {reply[:200]}" if reply else ""
    reason = f"The brake stopped this campaign. {since}{verdict.reason}{words}"
    if not pause_campaign(campaign_id, reason=reason, now=now):
        return False
    Braking.objects.create(
        campaign_id=campaign_id, cause=verdict.cause, reason=reason, braked_at=now, **_columns(results)
    )
    log.warning("campaign braked", campaign=campaign_id, cause=verdict.cause)
    return True


def _columns(results: Results) -> dict[str, int]:
    return {
        "n_sent": results.n_sent,
        "n_bounced": results.n_bounced,
        "n_complained": results.n_complained,
        "n_blocked": results.n_blocked,
    }
