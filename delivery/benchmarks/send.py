"""`bench send`: messages per second from launch to the last outcome written, through a real Celery worker.

Every campaign is followed by its references in the same minute: smtp-source with as many bytes over as many connections
into the same sink (the ceiling), and a plain Django path. Ratios are medians over these pairs.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contacts.models import MailingList
from delivery.benchmarks.campaign import Sent, send_campaign
from delivery.benchmarks.fixture import Shape, make_audience, make_route, sign_with
from delivery.benchmarks.plain import plain_rate
from delivery.benchmarks.processes import SinkCount, python_sink, send_workers, smtp_source_rate
from delivery.benchmarks.wire import wire_bytes
from delivery.models import Route

WARM_UP = 5_000


@dataclass
class Options:
    """The command line."""

    recipients: int = 10_000
    size: int = 40
    links: int = 20
    template: str = "plain"
    connections: int = 10
    workers: int = 1
    rtt_ms: float = 0.0
    dkim: str = ""
    sink: str = ""
    pairs: int = 5
    plain: int = 300
    ceiling: bool = True
    timeout: float = 1800.0


@dataclass
class Result:
    """All runs and what they say together. `received` is what the project's own sink counted, if it was used."""

    options: Options
    runs: list[Sent] = field(default_factory=list)
    wire_bytes: int = 0
    received: SinkCount | None = None
    n_warm_up: int = 0

    def as_json(self) -> dict[str, Any]:
        """The keys that scripts read; ratios are medians over the pairs."""
        rate = _median(run.rate for run in self.runs) or 0.0
        cpu = {part: _median(run.cpu_us[part] for run in self.runs) or 0.0 for part in self.runs[0].cpu_us}
        total = sum(cpu.values())
        figures = {
            "msgs_per_s": round(rate),
            "ceiling_msgs_per_s": _rounded(_median(run.ceiling for run in self.runs)),
            "plain_msgs_per_s": _rounded(_median(run.plain for run in self.runs)),
            "ratio_to_ceiling": _rounded(_median(run.rate / run.ceiling for run in self.runs if run.ceiling), 3),
            "ratio_to_plain": _rounded(_median(run.rate / run.plain for run in self.runs if run.plain), 1),
            "pairs": len(self.runs),
            "cpu_us_per_message": {part: round(us, 1) for part, us in cpu.items()} | {"total": round(total, 1)},
            "bookkeeping_share": round(1 - (cpu["fill"] + cpu["smtp"]) / total, 3),
            "wire_bytes": self.wire_bytes,
            "plan_s": _rounded(_median(run.plan_seconds for run in self.runs), 2),
            "peak_rss_mb": round(max(run.peak_rss_mb for run in self.runs), 1),
        }
        if self.options.rtt_ms:
            per_rtt = self.options.connections * self.options.workers * 1000 / self.options.rtt_ms
            figures["ratio_to_round_trips"] = round(rate / per_rtt, 3)
        return figures | self._accounting()

    def _accounting(self) -> dict[str, int]:
        """Lost: planned and in no end state, or accepted by the ledger and not received by the project's own sink."""
        accepted = sum(run.states.accepted for run in self.runs)
        lost = sum(run.states.waiting for run in self.runs)
        duplicates = sum(run.n_twice for run in self.runs)
        if self.received is not None:
            lost += max(0, accepted + self.n_warm_up - self.received.n_messages)
            duplicates += self.received.n_twice
        uncertain = sum(run.states.uncertain for run in self.runs)
        return {"accepted": accepted, "lost": lost, "duplicates": duplicates, "uncertain": uncertain}


def measure(options: Options) -> Result:
    """Runs the pairs: ours, the ceiling and the plain path after one another, again and again."""
    shape = Shape(options.recipients, options.size, options.links, options.template)
    audience = make_audience(shape)
    sign_with(options.dkim)
    if options.sink:
        host, _, number = options.sink.rpartition(":")
        return _measure(options, shape, audience, host or "127.0.0.1", int(number))
    with python_sink(options.rtt_ms) as sink:
        result = _measure(options, shape, audience, "127.0.0.1", sink.port)
        result.received = sink.count()
    return result


def _measure(options: Options, shape: Shape, audience: MailingList, host: str, port: int) -> Result:
    result = Result(options, wire_bytes=wire_bytes(shape))
    route = make_route(host, port, options.connections * options.workers)
    with send_workers(options.workers) as worker:
        # Code is paged in and connections are open afterwards.
        few = dataclasses.replace(shape, recipients=min(shape.recipients, WARM_UP))
        warm = _send(options, few, make_audience(few), route, worker.pid)
        result.n_warm_up = warm.states.accepted
        for _ in range(options.pairs):
            sent = _send(options, shape, audience, route, worker.pid)
            result.runs.append(_beside(sent, options, shape, host, port, result.wire_bytes))
    return result


def _send(options: Options, shape: Shape, audience: MailingList, route: Route, worker_pid: int) -> Sent:
    return send_campaign(audience, route, shape, worker_pid, timeout=options.timeout)


def _beside(sent: Sent, options: Options, shape: Shape, host: str, port: int, size: int) -> Sent:
    n = min(max(2_000, options.recipients // 2), 50_000)
    connections = options.connections * options.workers
    ceiling = smtp_source_rate(host, port, n, size, connections) if options.ceiling else None
    # The other template languages of the bench say what Django's cannot.
    has_plain = options.plain and options.template == "plain"
    plain = plain_rate(shape, host, port, options.plain) if has_plain else None
    return dataclasses.replace(sent, ceiling=ceiling, plain=plain)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None


def _rounded(value: float | None, digits: int | None = None) -> float | None:
    return None if value is None else round(value, digits)
