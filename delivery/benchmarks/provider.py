"""`bench send --provider KIND`: sending through a provider's API, against a local fake of it that answers late.

What can be had at best is min(limit, messages under way at once / latency). Under way at once are as many calls as the
account has connections, with one message each, or, where the provider takes several per call, with as many as the
journal's window of 100 messages per worker process holds for all calls together (that is what a killed worker leaves
uncertain). Providers that merge take in one call only messages whose texts have one shape: there it is what the calls
really carried. The ratio to that is told, and what a worker process used of its core: near 1 it is the CPU that binds.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
from dataclasses import dataclass
from typing import Any

from delivery.benchmarks.campaign import Sent, send_campaign
from delivery.benchmarks.fixture import Shape, add_route, make_audience
from delivery.benchmarks.processes import faked_api, send_workers
from delivery.models import ProviderAccount
from delivery.providers import PROVIDERS
from delivery.providers.catalog import DIALECTS
from delivery.providers.esps.dialect import Merging
from delivery.sending.api_pool import messages_per_call
from delivery.sending.drain import WINDOW

# Sent first and not measured: modules are imported and connections are open afterwards.
WARM_UP = 200
MERGING = {dialect.key for dialect in DIALECTS if isinstance(dialect, Merging)}
# Of a core: a Python process that uses more has no time left for the answers that wait.
BUSY = 0.8


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


@dataclass(frozen=True)
class Received:
    """What the fake counted."""

    messages: int
    twice: int
    calls: int


def expected_rate(options: Options, batch: float) -> float:
    """Messages per second at best: the account's limit, or what can be under way at once, each for one latency."""
    at_once = min(options.connections * batch, WINDOW) * options.workers
    possible = at_once * 1000 / options.latency_ms
    return min(possible, options.rate) if options.rate else possible


def measure_provider(options: Options) -> dict[str, Any]:
    """Runs `pairs` campaigns; rates are without planning, which takes as long whatever the provider does."""
    os.environ["PROVIDERS_ON_PRIVATE_NETWORKS"] = "true"  # the fake is here; the worker inherits it
    few = dataclasses.replace(options.shape, recipients=min(options.shape.recipients, WARM_UP))
    with faked_api(options.kind, options.latency_ms) as api, send_workers(options.workers) as worker:
        route = add_route(_account(options, api.ready))
        shapes = [few] + [options.shape] * options.pairs
        runs = [
            send_campaign(make_audience(shape), route, shape, worker.pid, timeout=options.timeout) for shape in shapes
        ]
        received = Received(**api.stop())
    return figures(options, runs, received)


def _account(options: Options, fake: dict[str, Any]) -> ProviderAccount:
    return ProviderAccount(
        kind=options.kind,
        options=fake["settings"],
        secrets=fake["credentials"],
        max_connections=options.connections * options.workers,
        messages_per_second=options.rate or None,
    )


def figures(options: Options, sent: list[Sent], received: Received) -> dict[str, Any]:
    """The keys that scripts read; the first campaign warmed up and counts for the accounts alone."""
    runs = sent[1:]
    rate = statistics.median(run.n_messages / (run.seconds - run.plan_seconds) for run in runs)
    expected = expected_rate(options, _batch(options, received))
    accepted = sum(run.states.accepted for run in sent)
    cpu = {part: statistics.median(run.cpu_us[part] for run in runs) for part in runs[0].cpu_us}
    busy = statistics.median(run.worker_cores for run in runs) / options.workers
    return {
        "provider": options.kind,
        "msgs_per_s": round(rate, 1),
        "expected_msgs_per_s": round(expected, 1),
        "ratio_to_expected": round(rate / expected, 3),
        "bound_by": _bound(options, expected, busy),
        "worker_cores_each": round(busy, 2),
        "messages_per_call": round(received.messages / max(1, received.calls), 1),
        "load": round(os.getloadavg()[0], 1),
        "pairs": len(runs),
        "cpu_us_per_message": {part: round(us, 1) for part, us in cpu.items()},
        "peak_rss_mb": round(max(run.peak_rss_mb for run in runs), 1),
        "accepted": accepted,
        "lost": sum(run.states.waiting for run in sent) + max(0, accepted - received.messages),
        "duplicates": sum(run.n_twice for run in sent) + max(0, received.messages - accepted, received.twice),
        "uncertain": sum(run.states.uncertain for run in sent),
    }


def _batch(options: Options, received: Received) -> float:
    kind = PROVIDERS[options.kind]
    if options.kind in MERGING:
        return received.messages / max(1, received.calls)
    return messages_per_call(kind.capabilities.batch_max, options.connections, full_calls=False)


def _bound(options: Options, expected: float, busy: float) -> str:
    if busy >= BUSY:
        return "cpu"
    return "limit" if options.rate and expected == options.rate else "latency"
