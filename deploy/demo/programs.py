"""The processes of a whole installation as command lines: what the demo and the smoke test start."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.ports import Ports

# A line per task would be 170 MB a day: beat sends a dozen tasks a second.
LOG_LEVEL = "WARNING"
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running; `what` is for people."""

    name: str
    what: str
    command: tuple[str, ...]


def programs_of(ports: Ports, var: Path, *, pace: str) -> list[Program]:
    """Everything but PostgreSQL and Redis. `pace` is the catcher's: demo or smoke."""
    return [
        Program("catcher", "mail catcher", _python("-m", "deploy.demo.catcher", *_catcher(ports, pace))),
        Program("intake", "intake of returned mail", _python("manage.py", "intake", "--port", str(ports.intake))),
        Program("web", "web", _python("-m", "granian", *_granian(ports.web))),
        Program("send", "worker (send)", _worker("send", "send")),
        Program("care", "worker (plan, events, care)", _worker("care", "plan,events,care")),
        Program("beat", "beat", _celery("beat", "--pidfile=", "-s", str(var / "beat-schedule"), "-l", LOG_LEVEL)),
    ]


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def _celery(*arguments: str) -> tuple[str, ...]:
    return _python("-m", "celery", "-A", "deploy", *arguments)


def _worker(name: str, queues: str) -> tuple[str, ...]:
    options: Sequence[str] = ("-Q", queues, "-c", "2", "-n", f"{name}@%h", "-l", LOG_LEVEL)
    return _celery("worker", *options, "--without-gossip", "--without-mingle")


def _granian(port: int) -> tuple[str, ...]:
    # One process with a few threads: the demo's machine may have two cores, and its pool of connections has eight.
    return (
        *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
        # Without it granian 2.8 waits for ever for a worker that was told to end while it started.
        *("--workers-kill-timeout", "10", "deploy.wsgi:application"),
    )


def _catcher(ports: Ports, pace: str) -> tuple[str, ...]:
    return (
        *("--smtp-port", str(ports.smtp), "--web-port", str(ports.catcher), "--intake-port", str(ports.intake)),
        *("--origin", f"http://127.0.0.1:{ports.web}", "--pace", pace),
    )
