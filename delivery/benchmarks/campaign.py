"""One campaign sent by the bench's worker: how fast, and what each part of the work cost."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from contacts.models import MailingList
from delivery.benchmarks.clocks_reading import read_clocks, reset_clocks
from delivery.benchmarks.fixture import Shape, launch
from delivery.benchmarks.processes import Cost, cost_of, descendants, postgres_cost, wait_until
from delivery.models import Route
from delivery.progress import Progress, recount
from delivery.sending.presence import count_drains
from delivery.services import finishing, planning
from delivery.tasks import start_drains

TICK_SECONDS = 1.0

# Cheaper than the progress of a page: it is asked 20 times a second, and its cost would count as PostgreSQL's.
UNDONE = "SELECT EXISTS (SELECT 1 FROM delivery_batch WHERE campaign_id = %s AND state <> 'finished')"

# One accepted outcome per message, whatever the sink says.
TWICE = """
SELECT count(*) - count(DISTINCT contact_id) FROM delivery_outcome WHERE campaign_id = %s AND result = 1
"""


@dataclass(frozen=True)
class Sent:
    """One measured campaign. `cpu_us` is CPU per message by part, in microseconds."""

    n_messages: int
    seconds: float
    plan_seconds: float
    cpu_us: dict[str, float]
    peak_rss_mb: float
    states: Progress
    n_twice: int
    ceiling: float | None = None
    plain: float | None = None
    worker_cores: float = 0.0  # CPU seconds of all worker processes per second
    others: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages per second from launch to the last outcome."""
        return self.n_messages / self.seconds


@dataclass(frozen=True)
class _Reading:
    own: Cost
    worker: Cost
    postgres: Cost


def send_campaign(audience: MailingList, route: Route, shape: Shape, worker_pid: int, *, timeout: float) -> Sent:
    """Launches a campaign, plans it here as the planner's task would, and waits for the worker to finish it."""
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    reset_clocks(redis)
    before = _read(worker_pid)
    start = time.perf_counter()
    campaign = launch(audience, route, shape, now=timezone.now())
    while planning.plan_next_campaign(now=timezone.now()):
        pass
    planned, planned_cost = time.perf_counter(), cost_of([os.getpid()])
    _tick_until_sent(campaign, timeout)
    seconds = time.perf_counter() - start
    wait_until(lambda: not count_drains(redis, route.pk), 60)
    after = _read(worker_pid)
    finishing.finish_done_campaigns(now=timezone.now())
    states = recount(campaign.pk)
    return Sent(
        states.total,
        seconds,
        planned - start,
        _parts(before, after, planned_cost.cpu_s - before.own.cpu_s, read_clocks(redis), states.total),
        after.worker.peak_rss_mb,
        states,
        _count_twice(campaign.pk),
        worker_cores=(after.worker.cpu_s - before.worker.cpu_s) / (seconds - (planned - start)),
    )


def _parts(before: _Reading, after: _Reading, plan_s: float, clocks: dict[str, float], n: int) -> dict[str, float]:
    worker_s = after.worker.cpu_s - before.worker.cpu_s
    seconds = {
        "plan": plan_s,
        "claim": clocks["claim"],
        "fill": clocks["fill"],
        "smtp": clocks["loop"] - clocks["fill"] - clocks["settle"],
        "flush": clocks["ledger"] - clocks["claim"] + clocks["settle"],
        "celery": worker_s - clocks["loop"] - clocks["ledger"],
        "postgres": after.postgres.cpu_s - before.postgres.cpu_s,
    }
    return {part: max(0.0, value) * 1e6 / n for part, value in seconds.items()}


def _read(worker_pid: int) -> _Reading:
    own, workers = cost_of([os.getpid()]), cost_of([worker_pid, *descendants(worker_pid)])
    return _Reading(own, workers, _postgres())


def _tick_until_sent(campaign: Campaign, timeout: float) -> None:
    """What beat does once a second, without beat's up to one second of waiting at the start."""
    ticked = 0.0

    def sent() -> bool:
        nonlocal ticked
        if time.monotonic() - ticked > TICK_SECONDS:
            start_drains()
            ticked = time.monotonic()
        return not _ask(UNDONE, campaign.pk)

    wait_until(sent, timeout)


def _count_twice(campaign_id: int) -> int:
    return int(_ask(TWICE, campaign_id))


def _ask(statement: str, campaign_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [campaign_id])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _postgres() -> Cost:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    return postgres_cost(row[0]) if row else Cost(0.0, 0.0)
