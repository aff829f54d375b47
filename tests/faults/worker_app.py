"""The Celery application of the faults suite: the product's own, with short leases and points at which it can die.

`celery -A tests.faults.worker_app worker`. A test arms one fault by writing a file into FAULTS_DIR; the first drain
that gets to that point takes the file away and suffers the fault, so that exactly one process does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from celery.signals import task_prerun, worker_process_init

from delivery.limits import connections
from deploy.celery import app

LEASE_SECONDS = 3
TICK_SECONDS = 0.5
TICKS = {f"delivery.tasks.{name}" for name in ("plan", "start_drains", "requeue_deferred", "sweep", "finish_campaigns")}
ARMED = Path(os.environ["FAULTS_DIR"]) / "armed"

app.conf.beat_schedule = {
    name: entry | {"schedule": TICK_SECONDS} for name, entry in app.conf.beat_schedule.items() if name in TICKS
}
# A dead process's connections keep their places for as long as a lease lasts.
for _function in (connections.lease_connection, connections.renew_leases):
    _function.__kwdefaults__["ttl_s"] = float(LEASE_SECONDS)  # type: ignore[attr-defined]


class _Fault:
    """What this process was told to suffer, if anything: read when a task begins."""

    point = ""
    action = ""
    n_left = 0

    def read(self) -> None:
        self.point = ""
        with contextlib.suppress(FileNotFoundError):
            told = json.loads(ARMED.read_text())
            self.point, self.action, self.n_left = told["point"], told["action"], told["nth"]

    def reach(self, point: str) -> None:
        if point != self.point:
            return
        self.n_left -= 1
        if self.n_left == 0:
            self.point = ""
            with contextlib.suppress(FileNotFoundError):
                ARMED.unlink()
                suffer(self.action)


_fault = _Fault()


def suffer(action: str) -> None:
    """The process is killed, or its clock jumps by that many hours."""
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal arrives at any moment
    time_machine.travel(datetime.now(UTC) + timedelta(hours=float(action)), tick=True).start()


@task_prerun.connect
def _read_fault(sender: Any, **_: Any) -> None:
    if sender.name == "delivery.tasks.drain":
        _fault.read()


def _watch(
    owner: Any, name: str, *, before: str = "", after: str = "", if_it_gave: Callable[[Any], Any] = lambda _: True
) -> None:
    """Calls of `owner.name` reach the point `before`, and the point `after` where they gave what counts."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        _fault.reach(before)
        result = function(*args, **kwargs)
        if if_it_gave(result):
            _fault.reach(after)
        return result

    setattr(owner, name, watched)


def _watch_dots() -> None:
    """A message's last byte is on the wire 0.1 s after it was given to the connection; the server holds its answer."""
    from delivery.smtp.session import Session

    next_flight = Session.next_flight

    def watched(session: Session) -> tuple[bytes, bytes]:
        flight = next_flight(session)
        if flight[0]:
            asyncio.get_running_loop().call_later(0.1, _fault.reach, "after the final dot")
        return flight

    Session.next_flight = watched  # type: ignore[method-assign]


@worker_process_init.connect
def _prepare(**_: Any) -> None:
    """In each child: short leases, and the points."""
    from delivery.sending import bookkeeper, drain, ledger, presence

    ledger.LEASE_SECONDS = LEASE_SECONDS
    drain.SAFE_SECONDS = LEASE_SECONDS - 1
    presence.DRAINS_SECONDS = 2
    _watch(ledger, "claim_batch", after="after the claim", if_it_gave=bool)
    _watch(ledger, "read_people", after="after reading people")
    _watch(ledger, "advance", before="before the journal", after="after the journal")
    _watch(drain.Drain, "feed", before="before a message is handed out")
    _watch(drain.Drain, "settle", after="after an answer")
    _watch(bookkeeper, "record_refusals", after="before outcomes are committed")
    _watch(ledger, "end_lease", before="before the lease ends", after="after the lease ended")
    _watch_dots()
