"""Places on the send path at which a drain can be struck: `celery -A deploy worker -I tests.faults.points`.

A test arms a fault for one route by writing a file into FAULTS_DIR; the first drain of that route that gets to the
point takes the file away and suffers the fault, so that exactly one process does. What a dead process holds in Redis
comes free within seconds here; nothing else differs from production.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from celery.signals import task_postrun, task_prerun, worker_process_init

from delivery.limits import connections
from delivery.sending import presence

DIRECTORY = Path(os.environ["FAULTS_DIR"])
GONE_SECONDS = 3

for _function in (connections.lease_connection, connections.renew_leases):
    _defaults = _function.__kwdefaults__
    assert _defaults is not None
    _defaults["ttl_s"] = float(GONE_SECONDS)
presence.DRAINS_SECONDS = GONE_SECONDS


class _Fault:
    """What the drain under way was told to suffer, if anything: read when the task begins."""

    file = Path()
    point = ""
    action = ""
    n_left = 0

    def read(self, route_id: int) -> None:
        self.point = ""
        self.file = DIRECTORY / f"armed-{route_id}"
        with contextlib.suppress(FileNotFoundError):
            told = json.loads(self.file.read_text())
            self.point, self.action, self.n_left = told["point"], told["action"], told["nth"]

    def reach(self, point: str) -> None:
        if point != self.point:
            return
        self.n_left -= 1
        if self.n_left == 0:
            self.point = ""
            with contextlib.suppress(FileNotFoundError):
                self.file.unlink()
                suffer(self.action)


_fault = _Fault()
_travels: list[time_machine.travel] = []


def suffer(action: str) -> None:
    """The process is killed, has no more memory, or its clock jumps by that many hours."""
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal arrives at any moment
    elif action == "starve":
        _take_all_memory()
    else:
        travel = time_machine.travel(datetime.now(UTC) + timedelta(hours=float(action)), tick=True)
        travel.start()
        _travels.append(travel)


_hoard: list[bytearray] = []


def _take_all_memory() -> None:
    """Not a byte more than the process has: the next allocation that needs the kernel raises MemoryError."""
    n_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, resource.RLIM_INFINITY))
    for size in (1 << 20, 1 << 14, 1 << 10, 64):
        with contextlib.suppress(MemoryError):
            while True:
                _hoard.append(bytearray(size))


@task_prerun.connect
def _read_fault(sender: Any, args: Any = (), **_: Any) -> None:
    if sender.name == "delivery.tasks.drain":
        _fault.read(args[0])


@task_postrun.connect
def _set_the_clock_right(**_: Any) -> None:
    while _travels:
        _travels.pop().stop()


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

    setattr(Session, "next_flight", watched)  # noqa: B010 - mypy takes no assignment to a method


@worker_process_init.connect
def _prepare(**_: Any) -> None:
    from delivery.sending import bookkeeper, drain, ledger

    _watch(ledger, "claim_batch", after="after the claim", if_it_gave=bool)
    _watch(ledger, "read_people", after="after reading people")
    _watch(ledger, "advance", before="before the journal", after="after the journal")
    _watch(drain.Drain, "feed", before="before a message is handed out")
    _watch(drain.Drain, "settle", after="after an answer")
    _watch(bookkeeper, "record_refusals", after="before outcomes are committed")
    _watch(ledger, "end_lease", before="before the lease ends", after="after the lease ended")
    _watch_dots()
