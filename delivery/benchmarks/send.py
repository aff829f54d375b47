"""`bench send`: messages per second from launch to the last outcome written, through a real Celery worker."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import MailingList
from delivery.benchmarks import parts
from delivery.benchmarks.fixture import Shape, launch, make_audience, make_route, sign_with
from delivery.benchmarks.plain import plain_rate
from delivery.benchmarks.processes import (
    cost_of,
    descendants,
    postgres_pids,
    python_sink,
    send_workers,
    smtp_source_rate,
    wait_until,
)
from delivery.models import Route
from delivery.progress import progress_of, recount
from delivery.services import finishing, planning
from delivery.tasks import start_drains

TICK_SECONDS = 1.0


@dataclass
class Options:
    """The command line."""

    recipients: int = 10_000
    size: int = 40
    links: int = 20
    connections: int = 10
    workers: int = 1
    rtt_ms: float = 0.0
    dkim: str = ""
    sink: str = ""
    pairs: int = 5
    plain: int = 300
    timeout: float = 600.0


@dataclass
class Run:
    """One measured campaign."""

    msgs_per_s: float
    worker_cpu_us: float
    postgres_cpu_us: float
    peak_rss_mb: float
    campaign_id: int
    ceiling: float | None = None
    plain: float | None = None


@dataclass
class Result:
    """All runs and what they say together."""

    options: Options
    runs: list[Run] = field(default_factory=list)
    fill_us: float = 0.0
    smtp_us: float = 0.0
    wire_bytes: int = 0
    duplicates: int = 0
    lost: int = 0

    def as_json(self) -> dict[str, Any]:
        """The keys that scripts read; ratios are medians over the pairs."""
        totals = [recount(run.campaign_id) for run in self.runs]
        worker_us = _median(run.worker_cpu_us for run in self.runs)
        postgres_us = _median(run.postgres_cpu_us for run in self.runs)
        rest_us = max(0.0, worker_us - self.fill_us - self.smtp_us)
        total_us = worker_us + postgres_us
        return {
            "msgs_per_s": round(_median(run.msgs_per_s for run in self.runs)),
            "ceiling_msgs_per_s": _rounded(_median_or_none(run.ceiling for run in self.runs)),
            "plain_msgs_per_s": _rounded(_median_or_none(run.plain for run in self.runs)),
            "ratio_to_ceiling": _ratio([(run.msgs_per_s, run.ceiling) for run in self.runs]),
            "ratio_to_plain": _ratio([(run.msgs_per_s, run.plain) for run in self.runs]),
            "pairs": len(self.runs),
            "cpu_us_per_message": {
                "fill": round(self.fill_us, 1),
                "smtp": round(self.smtp_us, 1),
                "claim_flush_and_celery": round(rest_us, 1),
                "postgres": round(postgres_us, 1),
                "total": round(total_us, 1),
            },
            "bookkeeping_share": round((rest_us + postgres_us) / total_us, 3) if total_us else None,
            "wire_bytes": self.wire_bytes,
            "peak_rss_mb": round(max(run.peak_rss_mb for run in self.runs), 1),
            "accepted": sum(total.accepted for total in totals),
            "lost": self.lost,
            "duplicates": self.duplicates,
            "uncertain": sum(total.uncertain for total in totals),
        }


def measure(options: Options) -> Result:
    """Runs the pairs: ours, the ceiling and the plain path after one another, again and again."""
    shape = Shape(options.recipients, options.size, options.links)
    mailing_list = make_audience(shape)
    sign_with(options.dkim)
    if options.sink:
        host, _, number = options.sink.rpartition(":")
        return _measure(options, shape, mailing_list, host or "127.0.0.1", int(number))
    with python_sink(options.rtt_ms) as (port, _sink):
        return _measure(options, shape, mailing_list, "127.0.0.1", port)


def _measure(options: Options, shape: Shape, mailing_list: MailingList, host: str, port: int) -> Result:
    result = Result(options)
    route = make_route(host, port, options.connections * options.workers)
    sample = parts.measure_parts(shape, host, port, options.connections)
    result.fill_us, result.smtp_us, result.wire_bytes = sample
    with send_workers(options.workers) as worker:
        _run(options, shape, mailing_list, route, worker.pid)  # warm-up: compiled content, open connections
        for _ in range(options.pairs):
            run = _run(options, shape, mailing_list, route, worker.pid)
            n_source = max(2_000, options.recipients // 2)
            run.ceiling = smtp_source_rate(port, n_source, result.wire_bytes, options.connections)
            run.plain = plain_rate(shape, host, port, options.plain) if options.plain else None
            result.runs.append(run)
            total = recount(run.campaign_id)
            result.lost += options.recipients - total.accepted - total.uncertain
    return result


def _run(options: Options, shape: Shape, mailing_list: MailingList, route: Route, worker_pid: int) -> Run:
    workers, postgres = [worker_pid, *descendants(worker_pid)], _postgres()
    before, postgres_before = cost_of(workers), cost_of(postgres)
    start = time.perf_counter()
    campaign = launch(mailing_list, route, shape, now=timezone.now())
    while planning.plan_next_campaign(now=timezone.now()):
        pass
    _tick_until_sent(campaign, options.timeout)
    seconds = time.perf_counter() - start
    after, postgres_after = cost_of(workers), cost_of(list({*postgres, *_postgres()}))
    finishing.finish_done_campaigns(now=timezone.now())
    n = options.recipients
    return Run(
        n / seconds,
        (after.cpu_s - before.cpu_s) * 1e6 / n,
        max(0.0, postgres_after.cpu_s - postgres_before.cpu_s) * 1e6 / n,
        after.peak_rss_mb,
        campaign.pk,
    )


def _tick_until_sent(campaign: Campaign, timeout: float) -> None:
    """What beat does once a second, without beat's up to one second of waiting at the start."""
    ticked = 0.0

    def sent() -> bool:
        nonlocal ticked
        if time.monotonic() - ticked > TICK_SECONDS:
            start_drains()
            ticked = time.monotonic()
        return progress_of(campaign.pk).waiting == 0

    wait_until(sent, timeout)


def _postgres() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    return postgres_pids(row[0]) if row else []


def _median(values: Any) -> float:
    return float(statistics.median(list(values)))


def _median_or_none(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _ratio(pairs: list[tuple[float, float | None]]) -> float | None:
    ratios = [ours / other for ours, other in pairs if other]
    return round(statistics.median(ratios), 3) if ratios else None
