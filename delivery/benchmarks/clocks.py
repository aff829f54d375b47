"""What the parts of a worker cost: `bench send` starts its worker with this module included (celery -I).

Threads' CPU clocks are read around the parts and summed up in Redis at the end of each drain. Judging answers and
making letters are timed for one message in 16: reading the clock at both ends of all of them would cost 2 %.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from delivery.benchmarks.clocks_reading import PARTS, tell_clocks
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.builders import Envelopes
from delivery.sending.drain import Drain
from delivery.sending.worker import Worker

SAMPLED = 16

P = ParamSpec("P")
R = TypeVar("R")

_seconds = dict.fromkeys(PARTS, 0.0)


def _timed(part: str, function: Callable[P, R]) -> Callable[P, R]:
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        start = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            _seconds[part] += time.thread_time() - start

    return wrapped


def _sampled(part: str, function: Callable[P, R]) -> Callable[P, R]:
    n_calls = 0

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal n_calls
        n_calls += 1
        if n_calls % SAMPLED:
            return function(*args, **kwargs)
        start = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            _seconds[part] += (time.thread_time() - start) * SAMPLED

    return wrapped


def _told(drain: Callable[..., Any], worker: Worker, *args: Any, **kwargs: Any) -> Any:
    try:
        return _timed("loop", drain)(worker, *args, **kwargs)
    finally:
        tell_clocks(worker.redis, _seconds)
        _seconds.update(dict.fromkeys(PARTS, 0.0))


def start() -> None:
    """The parts of this process are timed from now on."""
    parts: list[tuple[type, str, Callable[..., Any]]] = [
        (Drain, "_make_row", partial(_timed, "fill")),
        (Envelopes, "make_letter", partial(_sampled, "fill")),
        (Drain, "settle", partial(_sampled, "settle")),
        (Drain, "_order", partial(_timed, "settle")),
        (Drain, "_apply", partial(_timed, "settle")),
        (Bookkeeper, "carry_out", partial(_timed, "ledger")),
        (Bookkeeper, "_claim", partial(_timed, "claim")),
    ]
    for owner, name, timed in parts:
        setattr(owner, name, timed(getattr(owner, name)))
    drain = Worker.drain
    setattr(Worker, "drain", lambda worker, *args, **kwargs: _told(drain, worker, *args, **kwargs))  # noqa: B010


start()
