"""`bench track`: hits per second of one web process against the same without the write, and the flusher's rate."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from delivery.benchmarks.http_load import READER
from delivery.benchmarks.processes import cost_of, descendants, running, wait_until
from delivery.partitions import ensure_event_partitions
from delivery.tracking.flushing import flush_hits
from delivery.tracking.hits import QUEUE, Hit, encode_hit
from delivery.tracking.linktable import Table
from delivery.tracking.tokens import TokenMaker

# No campaign has this number; what the benchmark wrote under it is removed at the end.
CAMPAIGN = 2**31 - 7
N_LINKS = 20
# One open in five is followed by a click; readers' programs repeat.
CLICKS_IN = 5


@dataclass
class Options:
    """The command line."""

    connections: int = 20
    threads: int = 8
    seconds: float = 2.0
    pairs: int = 5
    flush: int = 100_000


@dataclass
class Side:
    """One web process: with the write, or without."""

    port: int
    pid: int
    per_s: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    n_wrong: int = 0
    n_answered: int = 0


def measure(options: Options) -> dict[str, Any]:
    """The keys that scripts read; ratio is the median over pairs that ran one after the other."""
    redis = Redis.from_url(settings.REDIS_URL)
    try:
        return _measure_web(redis, options) | _measure_flush(redis, options)
    finally:
        _tidy(redis)


def _measure_web(redis: Redis, options: Options) -> dict[str, Any]:
    targets = {index: f"https://shop.example/products/{index}?utm_source=news" for index in range(N_LINKS)}
    redis.set(f"fanfare:links:{CAMPAIGN}", msgspec.msgpack.encode(Table(targets)))
    n_before = redis.llen(QUEUE)
    with _web(options) as writing, _web(options, BENCH_NO_WRITE="1") as silent:
        for side in (writing, silent):
            _load(side, options, seconds=1.0)  # warm-up: threads, caches, connections
            side.__dict__.update(per_s=[], p99_ms=[], cpu_us=[])
        for _ in range(options.pairs):
            for side in (writing, silent):
                _load(side, options, seconds=options.seconds)
    n_in_redis = redis.llen(QUEUE) - n_before
    ratios = [ours / other for ours, other in zip(writing.per_s, silent.per_s, strict=True)]
    return {
        "hits_per_s": round(statistics.median(writing.per_s)),
        "no_write_hits_per_s": round(statistics.median(silent.per_s)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_best": round(max(ratios), 3),
        "pairs": len(ratios),
        "p99_ms": round(statistics.median(writing.p99_ms), 2),
        "cpu_us_per_hit": round(statistics.median(writing.cpu_us), 1),
        "no_write_cpu_us_per_hit": round(statistics.median(silent.cpu_us), 1),
        "answered_wrong": writing.n_wrong + silent.n_wrong,
        "answered_not_in_redis": max(0, writing.n_answered - n_in_redis),
    }


@contextlib.contextmanager
def _web(options: Options, **environment: str) -> Iterator[Side]:
    """A granian with one worker process, as docs/guide-operators.md starts it."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", str(options.threads), "--workers-kill-timeout", "5"]
    command += ["--no-ws", "--log-level", "error", "delivery.benchmarks.track_app:application"]
    environment |= {"PUBLIC_ORIGIN": f"http://127.0.0.1:{port}", "ALLOWED_HOSTS": "127.0.0.1"}
    with running(*command, environment=os.environ | environment) as web:
        wait_until(lambda: answers(port), 90)
        yield Side(port, descendants(web.pid)[-1])


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _load(side: Side, options: Options, *, seconds: float) -> None:
    maker = TokenMaker(settings.SECRET_KEY)
    paths = "\n".join(f"/c/{maker.make(CAMPAIGN, n)}/{n % N_LINKS}" for n in range(2000))
    command = [sys.executable, "-m", "delivery.benchmarks.http_load", "--port", str(side.port)]
    command += ["--connections", str(options.connections), "--seconds", str(seconds)]
    before = cost_of([side.pid]).cpu_s
    done = subprocess.run(command, input=paths, capture_output=True, text=True, check=True, timeout=seconds + 60)
    figures = json.loads(done.stdout)
    side.per_s.append(figures["per_s"])
    side.p99_ms.append(figures["p99_ms"])
    side.cpu_us.append((cost_of([side.pid]).cpu_s - before) * 1e6 / max(1, figures["n"]))
    side.n_wrong += figures["n_wrong"]
    side.n_answered += figures["n"]


def _measure_flush(redis: Redis, options: Options) -> dict[str, Any]:
    now = timezone.now()
    ensure_event_partitions(now)
    flush_hits(redis, now=now)  # what the web processes left
    rates, cpu = [], []
    for round_number in range(3):
        _fill(redis, options.flush, now.timestamp(), round_number)
        start, used = time.perf_counter(), time.process_time()
        n = flush_hits(redis, now=timezone.now())
        rates.append(n / (time.perf_counter() - start))
        cpu.append((time.process_time() - used) * 1e6 / max(1, n))
    return {
        "flush_hits_per_s": round(statistics.median(rates)),
        "flush_best_hits_per_s": round(max(rates)),
        "flush_cpu_us_per_hit": round(statistics.median(cpu), 2),
        "flushed": options.flush * 3,
    }


def _fill(redis: Redis, n: int, now: float, round_number: int) -> None:
    """Opens and clicks of the last minute, in the order in which web processes push them."""
    entries = [encode_hit(_hit(number, now - 60 + 60 * number / n, round_number * n)) for number in range(n)]
    for start in range(0, n, 5000):
        redis.rpush(QUEUE, *entries[start : start + 5000])


def _hit(number: int, at: float, first: int) -> Hit:
    clicked = number % CLICKS_IN == 0
    return Hit(
        key=os.urandom(16),
        at=at,
        kind="clicked" if clicked else "opened",
        campaign_id=CAMPAIGN,
        contact_id=first + number,
        link_index=number % N_LINKS if clicked else None,
        network=f"81.{number // 250 % 250}.{number % 250}.0/24",
        user_agent=f"{READER} Build/{number % 400}",
        method="GET",
        purpose="",
    )


def _tidy(redis: Redis) -> None:
    flush_hits(redis, now=timezone.now())
    redis.delete(f"fanfare:links:{CAMPAIGN}")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM delivery_event WHERE campaign_id = %s", [CAMPAIGN])
