"""What of sending waits for a person: stopped campaigns, missing processes, held accounts, uncertain messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, Sum
from django.urls import reverse
from redis import Redis
from redis.exceptions import RedisError

from campaigns.models import Campaign
from delivery.limits.errors import LimitsUnavailable
from delivery.models import Batch, Braking, ProviderAccount
from delivery.services.accounts import holds_of
from delivery.watchdog import look_at_processes, redis_is_down

State = Campaign.State
N_SHOWN = 5
# Older uncertain messages have been looked at, or nobody will.
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that waits for a person."""

    message: str
    url: str
    tone: str = "warn"


def sending_alerts(*, now: datetime) -> list[Alert]:
    """Return what sending needs, worst first."""
    return [*_of_processes(now), *_of_paused(), *_of_accounts(now), *_of_uncertain(now)]


def _of_processes(now: datetime) -> list[Alert]:
    """Only where something ought to move: an empty installation needs no worker yet."""
    due = Q(state__in=(State.PREPARING, State.SENDING)) | Q(state=State.SCHEDULED, send_at__lte=now)
    if not Campaign.objects.filter(due).exists():
        return []
    try:
        finding = look_at_processes(Redis.from_url(settings.REDIS_URL, socket_timeout=2))
    except (RedisError, LimitsUnavailable) as problem:
        finding = redis_is_down(problem)
    return [Alert(f"{finding.text} {finding.help}", reverse("delivery-health"), "bad")] if finding else []


def _of_paused() -> list[Alert]:
    paused = list(Campaign.objects.filter(state=State.PAUSED)[:N_SHOWN])
    ids = [campaign.pk for campaign in paused]
    braked = set(Braking.objects.filter(campaign_id__in=ids, released_at=None).values_list("campaign_id", flat=True))
    return [
        Alert(
            f"“{campaign}” is paused. {campaign.state_reason}".strip(),
            reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
            "bad" if campaign.pk in braked else "warn",
        )
        for campaign in sorted(paused, key=lambda campaign: campaign.pk not in braked)
    ]


def _of_accounts(now: datetime) -> list[Alert]:
    accounts = list(ProviderAccount.objects.filter(enabled=True).defer("secrets", "hook_secrets"))
    holds = holds_of(accounts, now=now)
    held = [(account, holds[account.pk]) for account in accounts if holds[account.pk]]
    return [Alert(f"“{account}”: {hold}", reverse("delivery-health")) for account, hold in held][:N_SHOWN]


def _of_uncertain(now: datetime) -> list[Alert]:
    recent = dict(Campaign.objects.filter(launched_at__gte=now - RECENT).values_list("pk", "name"))
    counted = Batch.objects.filter(campaign_id__in=list(recent), n_uncertain__gt=0).values("campaign_id")
    return [
        Alert(
            f"{row['n']:,} messages of “{recent[row['campaign_id']]}” are uncertain: nobody knows if they arrived.",
            reverse("delivery-recipients", args=[row["campaign_id"]]) + "?state=uncertain",
        )
        for row in counted.annotate(n=Sum("n_uncertain")).order_by("-n")[:N_SHOWN]
    ]
