"""`bench send --provider KIND`: sending through a provider's API, against a local fake of it that answers late.

What can be had is min(limit, calls at once x messages per call / latency); the ratio to that is told.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from typing import Any

from delivery.benchmarks.campaign import Sent, send_campaign
from delivery.benchmarks.fixture import Shape, add_route, make_audience
from delivery.benchmarks.processes import send_workers
from delivery.models import ProviderAccount
from delivery.providers import PROVIDERS
from delivery.providers.fakes import FakeProvider, fake
from delivery.sending.api_pool import LARGEST_BATCH
from delivery.sending.drain import WINDOW


@dataclass(frozen=True)
class Options:
    """The command line."""

    kind: str
    shape: Shape
    connections: int
    workers: int
    latency_ms: float
    rate: int
    pairs: int
    timeout: float


def expected_rate(options: Options, batch_max: int) -> float:
    """Messages per second at best: the account's limit, or as many calls at once as connections and journal allow."""
    batch = min(batch_max, LARGEST_BATCH)
    calls = min(options.connections, WINDOW // batch) * options.workers
    possible = calls * batch * 1000 / options.latency_ms
    return min(possible, options.rate) if options.rate else possible


def measure_provider(options: Options) -> dict[str, Any]:
    """Runs `pairs` campaigns; rates are without planning, which takes as long whatever the provider does."""
    os.environ["PROVIDERS_ON_PRIVATE_NETWORKS"] = "true"  # the fake is here; the worker inherits it
    audience = make_audience(options.shape)
    received = 0
    runs: list[Sent] = []
    with fake(options.kind, options.latency_ms / 1000) as server, send_workers(options.workers) as worker:
        route = add_route(_account(options, server))
        for _ in range(options.pairs):
            runs.append(send_campaign(audience, route, options.shape, worker.pid, timeout=options.timeout))
            received += len(server.sent)
            server.sent.clear()
            server.requests.clear()
    return _figures(options, runs, received)


def _account(options: Options, server: FakeProvider) -> ProviderAccount:
    return ProviderAccount(
        kind=options.kind,
        options=server.settings,
        secrets=server.credentials,
        max_connections=options.connections * options.workers,
        messages_per_second=options.rate or None,
    )


def _figures(options: Options, runs: list[Sent], received: int) -> dict[str, Any]:
    rate = statistics.median(run.n_messages / (run.seconds - run.plan_seconds) for run in runs)
    expected = expected_rate(options, PROVIDERS[options.kind].capabilities.batch_max)
    accepted = sum(run.states.accepted for run in runs)
    cpu = {part: statistics.median(run.cpu_us[part] for run in runs) for part in runs[0].cpu_us}
    return {
        "provider": options.kind,
        "msgs_per_s": round(rate, 1),
        "expected_msgs_per_s": round(expected, 1),
        "ratio_to_expected": round(rate / expected, 3),
        "pairs": len(runs),
        "cpu_us_per_message": {part: round(us, 1) for part, us in cpu.items()},
        "peak_rss_mb": round(max(run.peak_rss_mb for run in runs), 1),
        "accepted": accepted,
        "lost": sum(run.states.waiting for run in runs) + max(0, accepted - received),
        "duplicates": sum(run.n_twice for run in runs) + max(0, received - accepted),
        "uncertain": sum(run.states.uncertain for run in runs),
    }
