"""Two at once: each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(*rivals: Callable[[], T]) -> list[T]:
    """All start together; their results in the order given."""
    start = threading.Barrier(len(rivals))

    def run(rival: Callable[[], T]) -> T:
        start.wait(10)
        try:
            return rival()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(rivals)) as threads:
        return [future.result() for future in [threads.submit(run, rival) for rival in rivals]]
