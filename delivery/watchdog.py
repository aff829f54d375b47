"""Why a campaign does not move, in words."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from campaigns.models import Campaign
from delivery.models import Batch, Deferral
from delivery.sending.presence import count_workers, last_trouble

STALE = timedelta(seconds=20)


def why_not_moving(campaign_id: int) -> str:
    """The reason, or an empty text while it moves or has nothing to do."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        return ""
    if campaign.state == Campaign.State.PAUSED:
        return campaign.state_reason or "Paused."
    if campaign.state not in (Campaign.State.PREPARING, Campaign.State.SENDING):
        return ""
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    try:
        return _of_workers(redis) or _of_batches(redis, campaign)
    except RedisError:
        return "Redis does not answer: sending has stopped and resumes by itself when it does."


def _of_workers(redis: Redis) -> str:
    if count_workers(redis) == 0:
        return "No worker is alive: start one with “celery -A deploy worker”."
    return ""


def _of_batches(redis: Redis, campaign: Campaign) -> str:
    batches = Batch.objects.filter(campaign_id=campaign.pk).exclude(state=Batch.State.FINISHED)
    if not batches.exists():
        return _of_deferrals(campaign)
    if batches.filter(state=Batch.State.LEASED).exists():
        return ""
    route_ids = set(batches.values_list("route_id", flat=True))
    troubles = [text for route_id in route_ids if (text := last_trouble(redis, route_id))]
    return troubles[0] if troubles else ""


def _of_deferrals(campaign: Campaign) -> str:
    waiting = Deferral.objects.filter(campaign_id=campaign.pk, taken_at=None).order_by("due_at")
    first = waiting.first()
    if first is None:
        return ""
    wait = max(timedelta(0), first.due_at - timezone.now())
    minutes = int(wait.total_seconds() // 60)
    when = f"in {minutes} minutes" if minutes > 1 else "within a minute or two"
    return f"{waiting.count()} deferred messages wait; the next attempt is {when}. The server said: {first.reply[:200]}"
