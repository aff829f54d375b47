"""The processes of the faults suite: real Celery workers, each with its children in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
# Short enough to wait for in a test, long enough that a busy machine does not lose live leases all the time.
LEASE_SECONDS = 4


class Worker:
    """One `celery -A deploy worker`. `tests.faults.points` only adds the places at which a drain can be struck."""

    def __init__(self, directory: Path, name: str, *arguments: str, environment: Mapping[str, str]) -> None:
        self.log = directory / f"{name}-{time.time_ns()}.log"
        command = [sys.executable, "-m", "celery", "-A", "deploy", "worker", "-n", f"{name}@test", "-l", "INFO"]
        own = {"FAULTS_DIR": str(directory), "LEASE_SECONDS": str(LEASE_SECONDS), "DATABASE_POOL_SIZE": "3"}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle", "-I", "tests.faults.points", *arguments],
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, **environment, **own},
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Returns once it takes tasks."""
        wait_for(lambda: "ready." in self.log.read_text(), f"{self.log.name}: ready")

    def signal(self, number: int) -> None:
        """To the parent alone, as an operator or systemd does."""
        self._process.send_signal(number)

    def signal_all(self, number: int) -> None:
        """To the parent and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self) -> int:
        """Its exit code, once it is gone."""
        return self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Afterwards none of its processes lives."""
        self.signal_all(signal.SIGKILL)
        self._process.wait()


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Asks every 50 ms until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.05)
