"""Real processes for the bench: Celery workers, the sink, smtp-source; and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system) and the largest resident set, in MB."""

    cpu_s: float
    peak_rss_mb: float


@contextlib.contextmanager
def running(
    *command: str, stdout: int | None = subprocess.DEVNULL, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A child that is told to end, and killed if it does not."""
    child = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def send_workers(n: int) -> Iterator[subprocess.Popen[str]]:
    """One Celery worker with `n` processes on the queue send, ready for tasks."""
    name = f"bench{os.getpid()}@%h"
    command = [sys.executable, "-m", "celery", "-A", "deploy", "worker", "-Q", "send", "-c", str(n), "-n", name]
    command += ["-I", "delivery.benchmarks.clocks"]
    with running(*command, "--without-gossip", "--without-mingle", "-l", "warning") as worker:
        wait_until(lambda: len(descendants(worker.pid)) >= n, 60)
        time.sleep(1)
        yield worker


@dataclass(frozen=True)
class SinkCount:
    """What the project's own sink received: campaign messages, and how many of them more than once."""

    n_messages: int
    n_twice: int


class Speaking:
    """A process that says something in JSON when it is ready, and its count when it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ready: dict[str, Any] = self._say()

    def stop(self) -> dict[str, Any]:
        """What it counted, when it has ended."""
        self._process.terminate()
        return self._say()

    def _say(self) -> dict[str, Any]:
        if self._process.stdout is None:
            raise RuntimeError("The process says nothing.")
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


class PythonSink(Speaking):
    """The project's own sink in a process."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.ready["port"])

    def count(self) -> SinkCount:
        """Stops it."""
        told = self.stop()
        return SinkCount(told["messages"], told["twice"])


@contextlib.contextmanager
def python_sink(rtt_ms: float) -> Iterator[PythonSink]:
    """The project's own sink, which answers `rtt_ms` late."""
    command = [sys.executable, "-m", "delivery.benchmarks.sink", "--rtt-ms", str(rtt_ms)]
    with running(*command, stdout=subprocess.PIPE) as process:
        yield PythonSink(process)


@contextlib.contextmanager
def faked_api(kind: str, latency_ms: float) -> Iterator[Speaking]:
    """A provider's fake, which answers a call `latency_ms` after it has read it."""
    command = [sys.executable, "-m", "delivery.benchmarks.fake_api", kind, "--latency-ms", str(latency_ms)]
    with running(*command, stdout=subprocess.PIPE) as process:
        yield Speaking(process)


def smtp_source_rate(host: str, port: int, n: int, size: int, connections: int) -> float | None:
    """Messages per second that Debian's smtp-source pushes into the sink; None where it is not installed."""
    program = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
    if program is None:
        return None
    start = time.perf_counter()
    command = [program, "-d", "-s", str(connections), "-m", str(n), "-l", str(size), f"{host}:{port}"]
    subprocess.run(command, check=True, capture_output=True)
    return n / (time.perf_counter() - start)


def descendants(pid: int) -> list[int]:
    """Process ids of the children, grandchildren ... of a process."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def cost_of(pids: list[int]) -> Cost:
    """What these processes have used so far; ended ones count nothing."""
    cpu, peak = 0.0, 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            cpu += (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
            match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            peak = max(peak, int(match[1]) / 1024 if match else 0.0)
    return Cost(cpu, peak)


def postgres_cost(backend_pid: int) -> Cost:
    """Of the whole server, found from one backend; nothing where PostgreSQL runs on another machine.

    Backends that have ended count too: the server has waited for them. A Celery task ends its pool's backends.
    """
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{backend_pid}/stat").read_text()
        if "(postgres" in stat:
            server = int(stat.rpartition(")")[2].split()[1])
            ended = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
            living = cost_of(descendants(server))
            return Cost(living.cpu_s + (int(ended[13]) + int(ended[14])) / TICKS_PER_SECOND, living.peak_rss_mb)
    return Cost(0.0, 0.0)


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Waits for a condition; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("The bench waited too long.")
        time.sleep(0.05)
