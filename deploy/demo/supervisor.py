"""Keeps a set of processes running: starts them, restarts the dead a few times, stops all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.programs import ROOT, Program
from deploy.embedded.process import tail

MAX_RESTARTS = 5
GRACE_SECONDS = 20.0  # a drain hands back what it has not begun within a second; an SMTP answer may take longer
MAX_LOG = 5_000_000


@dataclass(slots=True)
class _Child:
    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    n_restarts: int = 0
    given_up: bool = False


@dataclass(slots=True)
class Supervisor:
    """`say` gets a text for people whenever a process died."""

    log_directory: Path
    say: Callable[[str], None]
    _children: list[_Child] = field(default_factory=list)

    def start(self, programs: Sequence[Program]) -> None:
        """All run afterwards, their output appended to a log of their own."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        for program in programs:
            log = self.log_directory / f"{program.name}.log"
            if log.exists() and log.stat().st_size > MAX_LOG:
                log.replace(log.with_suffix(".old"))
            self._children.append(_Child(program, log, _launch(program, log)))

    def look_after(self) -> None:
        """Whoever died since the last call is reported and started again, five times at most."""
        for child in self._children:
            if child.given_up or child.process.poll() is None:
                continue
            words = f"{child.program.what} ended ({_how(child.process.returncode)}). The end of {child.log}:"
            self.say(f"{words}\n{tail(child.log)}")
            child.n_restarts += 1
            child.given_up = child.n_restarts > MAX_RESTARTS
            if child.given_up:
                self.say(
                    f"{child.program.what} died {child.n_restarts} times and is left alone. Ctrl-C, then try again."
                )
            else:
                child.process = _launch(child.program, child.log)

    @property
    def is_hopeless(self) -> bool:
        """Whether a process was given up."""
        return any(child.given_up for child in self._children)

    def pid_of(self, name: str) -> int:
        """The process id of a program; KeyError for one that was not started."""
        return {child.program.name: child.process.pid for child in self._children}[name]

    def stop(self) -> None:
        """None of them runs afterwards: SIGTERM, and SIGKILL for what is there after 20 seconds."""
        # Beat and workers first: whoever they talk to is still there while they tidy up.
        for child in reversed(self._children):
            _signal_group(child.process, signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{child.program.what} does not end; killed.")
            _signal_group(child.process, signal.SIGKILL)  # also what it may have left behind
            child.process.wait()
        self._children.clear()


def _launch(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """A session of its own: Ctrl-C in the terminal reaches the supervisor alone."""
    leash = (sys.executable, "-m", "deploy.demo.leash", str(os.getpid()))
    with log.open("ab") as output:
        return subprocess.Popen(
            [*leash, *program.command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """SIGTERM goes to the leader, which tells its children itself; SIGKILL to all of them."""
    with suppress(ProcessLookupError):
        if number == signal.SIGTERM:
            os.kill(process.pid, number) if process.poll() is None else None
        else:
            os.killpg(process.pid, number)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
