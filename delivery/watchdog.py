"""Why a campaign does not move, in words, and what helps: asked by its page, the list and the home page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from campaigns.models import Campaign
from delivery import brake, obstacles
from delivery.findings import Finding, clock
from delivery.limits.errors import LimitsUnavailable
from delivery.models import Batch, Deferral
from delivery.sending import presence
from delivery.services.braking import brake_of

State = Campaign.State
# Beat ticks every second; a busy machine may be late by some.
SILENT_SECONDS = 15.0
OVERDUE = timedelta(seconds=20)


def why_not_moving(campaign_id: int) -> str:
    """The reason, or an empty text while it moves or has nothing to do."""
    finding = look_at(campaign_id)
    return finding.text if finding else ""


def look_at(campaign_id: int) -> Finding | None:
    """What stands in a campaign's way, the first thing to mend; None while it moves or has nothing to do."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    looks: dict[str, Callable[[Campaign, datetime], Finding | None]] = {
        State.SCHEDULED: _of_scheduled,
        State.PREPARING: _of_preparing,
        State.SENDING: _of_sending,
        State.PAUSED: _of_paused,
    }
    look = looks.get(campaign.state) if campaign else None
    return look(campaign, timezone.now()) if campaign and look else None


def look_at_processes(redis: Redis) -> Finding | None:
    """What of Fanfare's own processes is missing. Raises RedisError."""
    if presence.count_workers(redis) == 0:
        return Finding(
            "no_worker",
            "No worker that sends is alive.",
            "Start one with “celery -A deploy worker -Q send”; it takes up what is due by itself.",
        )
    beat, tick = (presence.quiet_seconds(redis, key) for key in (presence.BEAT, presence.TICK))
    if beat is None or beat > SILENT_SECONDS:
        since = f" for {beat:.0f} seconds" if beat is not None else ""
        return Finding("no_beat", f"Nothing ticks: beat is silent{since}.", "Start it with “celery -A deploy beat”.")
    if tick is None or tick > SILENT_SECONDS:
        return Finding(
            "no_planner",
            "Beat ticks, but no worker takes the queue “plan”, or it is stuck.",
            "Start one with “celery -A deploy worker -Q plan,events,care”.",
        )
    return None


def redis_is_down(problem: Exception) -> Finding:
    """Redis does not answer or refuses to write."""
    return Finding(
        "redis",
        f"Redis does not answer: sending has stopped. ({type(problem).__name__})",
        "It resumes by itself when Redis does. No message is lost: they are in PostgreSQL.",
    )


def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def _of_scheduled(campaign: Campaign, now: datetime) -> Finding | None:
    if campaign.send_at is None:
        return None
    if campaign.send_at > now - OVERDUE:
        return Finding("due", f"It waits for its time: {clock(campaign.send_at)}.")
    try:
        missing = look_at_processes(_redis())
    except (RedisError, LimitsUnavailable) as problem:
        missing = redis_is_down(problem)
    late = f"It should have started on {clock(campaign.send_at)}."
    return Finding(missing.kind, f"{late} {missing.text}", missing.help) if missing else Finding("overdue", late)


def _of_paused(campaign: Campaign, _now: datetime) -> Finding | None:
    braking = brake_of(campaign.pk)
    if braking is not None:
        return Finding("braked", braking.reason, brake.HELP[braking.cause])
    return Finding("paused", campaign.state_reason or "Paused.", "Resume goes on where it stood.")


def _of_preparing(campaign: Campaign, now: datetime) -> Finding | None:
    try:
        missing = look_at_processes(_redis())
    except (RedisError, LimitsUnavailable) as problem:
        return redis_is_down(problem)
    if missing is None and campaign.launched_at and now - campaign.launched_at > OVERDUE:
        return Finding("preparing", "The audience is being fixed: about ten seconds for a million people.")
    return missing


def _of_sending(campaign: Campaign, now: datetime) -> Finding | None:
    redis = _redis()
    try:
        return look_at_processes(redis) or _of_batches(redis, campaign, now)
    except (RedisError, LimitsUnavailable) as problem:
        return redis_is_down(problem)


def _of_batches(redis: Redis, campaign: Campaign, now: datetime) -> Finding | None:
    batches = list(
        Batch.objects.filter(campaign_id=campaign.pk, state__in=(Batch.State.PENDING, Batch.State.LEASED)).values_list(
            "state", "route_id", "site", "due_at"
        )
    )
    if not batches:
        return _of_deferrals(campaign, now)
    if any(state == Batch.State.LEASED for state, *_ in batches):
        return obstacles.of_leased(redis, campaign, now)
    found = obstacles.of_routes(redis, {(route_id, site) for _, route_id, site, _ in batches}, campaign.pk, now)
    if found is not None:
        return found
    due_at = min(due_at for *_, due_at in batches)
    if due_at > now + OVERDUE:
        return Finding("due", f"The next messages are due on {clock(due_at)}.")
    return obstacles.of_neighbours({route_id for _, route_id, _, _ in batches}, campaign.pk)


def _of_deferrals(campaign: Campaign, now: datetime) -> Finding | None:
    waiting = Deferral.objects.filter(campaign_id=campaign.pk, taken_at=None).order_by("due_at")
    first = waiting.first()
    if first is None:
        return None
    minutes = int(max(timedelta(0), first.due_at - now).total_seconds() // 60)
    when = f"in {minutes} minutes" if minutes > 1 else "within a minute or two"
    n = waiting.count()
    what = "1 deferred message waits" if n == 1 else f"{n} deferred messages wait"
    said = f" The server said: {first.reply[:200]}" if first.reply else ""
    return Finding("deferred", f"{what}; the next attempt is {when}.{said}", "Nothing to do: they are tried again.")
