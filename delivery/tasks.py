"""Celery's entry points: ids in, one service called. Running any of them twice at once is harmless (DESIGN 5.3)."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from redis import Redis

from delivery.models import Route
from delivery.partitions import ensure_event_partitions
from delivery.sending.presence import note_tick
from delivery.sending.worker import this_worker
from delivery.services import (
    braking,
    consequences,
    finishing,
    leaving,
    planning,
    requeueing,
    resolving,
    sweeping,
    uncertain,
    warming,
)
from delivery.services.dispatch import routes_to_drain
from delivery.tracking import flushing
from delivery.tracking.linktable import publish_links

DRAIN_SECONDS = 45


@shared_task(name="delivery.tasks.plan")
def plan() -> None:
    """Freeze the audience of every prepared campaign; its links are in Redis before its first message leaves."""
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    while planned := planning.plan_next_campaign(now=timezone.now()):
        publish_links(redis, planned.campaign_id)


@shared_task(name="delivery.tasks.start_drains")
def start_drains() -> None:
    """One hint per route and free slot; a hint that nobody takes within seconds is dropped."""
    note_tick(Redis.from_url(settings.REDIS_URL, socket_timeout=5))
    for route_id, n_hints in routes_to_drain(now=timezone.now()).items():
        for _ in range(n_hints):
            drain.apply_async((route_id,), queue="send", expires=3)


# Ten minutes after the final dot (RFC 5321 section 4.5.3.2.6) may have to be waited out on top of the 45 s.
@shared_task(name="delivery.tasks.drain", soft_time_limit=720, time_limit=780)
def drain(route_id: int) -> None:
    """Send what is due on one route for at most 45 s."""
    route = Route.objects.filter(pk=route_id).first()
    if route is not None:
        this_worker().drain(route, seconds=DRAIN_SECONDS)


@shared_task(name="delivery.tasks.requeue_deferred")
def requeue_deferred() -> None:
    """Deferred messages whose time has come go into new batches."""
    while requeueing.requeue_due() == 1000:
        pass


@shared_task(name="delivery.tasks.sweep")
def sweep() -> None:
    """Leases of dead workers are released, and soft bounces that no policy counts any more are forgotten."""
    sweeping.sweep_dead_leases()
    consequences.forget_old_soft_bounces(now=timezone.now())


@shared_task(name="delivery.tasks.finish_campaigns")
def finish_campaigns() -> None:
    """Campaigns with nothing left to do are finished, cancelled ones are tidied."""
    finishing.settle_cancelled()
    finishing.finish_done_campaigns(now=timezone.now())


@shared_task(name="delivery.tasks.brake")
def brake() -> None:
    """Campaigns with too many bounces, complaints or blocks are paused."""
    braking.brake_campaigns(now=timezone.now())


@shared_task(name="delivery.tasks.settle_uncertain")
def settle_uncertain() -> None:
    """Uncertain messages whose later events show that they arrived are accepted."""
    uncertain.accept_by_events(now=timezone.now())


@shared_task(name="delivery.tasks.flush_hits")
def flush_hits() -> None:
    """Opens and clicks go from Redis to PostgreSQL, and unsubscribes that waited out an outage are carried out."""
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    ensure_event_partitions(timezone.now())
    flushing.flush_hits(redis, now=timezone.now())
    leaving.carry_out_kept(redis)


@shared_task(name="delivery.tasks.process_receipts")
def process_receipts() -> None:
    """Webhook calls and returned mails that are stored are read."""
    # The providers' modules and their HTTP clients: 16 MB that a worker which only sends does without.
    from delivery.services import receiving

    receiving.process_receipts(now=timezone.now())


@shared_task(name="delivery.tasks.resolve_sites")
def resolve_sites() -> None:
    """New and stale recipient domains are looked up in DNS."""
    resolving.resolve_sites(now=timezone.now())


@shared_task(name="delivery.tasks.judge_warm_ups")
def judge_warm_ups() -> None:
    """Warm-ups go on, hold or stop by how their mail was received."""
    warming.judge_warm_ups(now=timezone.now())


@shared_task(name="delivery.tasks.forget_old_receipts")
def forget_old_receipts() -> None:
    """Receipts that were read long ago go, a few thousand at a time."""
    from delivery.services import receiving

    while receiving.forget_old_receipts(now=timezone.now()):
        pass
