"""Where the clocks of a bench's worker (delivery.benchmarks.clocks) leave their sums, and how the bench reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from redis import Redis

KEY = "fanfare:bench:clocks"
# The event loop's thread during drains; of it: making messages, judging answers and the exchanges with the ledger's
# thread. The ledger's thread; of it: leasing a batch and reading its people.
PARTS = ("loop", "fill", "settle", "ledger", "claim")


def tell_clocks(redis: Redis, seconds: Mapping[str, float]) -> None:
    """The sums grow."""
    with redis.pipeline() as pipe:
        for part, value in seconds.items():
            pipe.hincrbyfloat(KEY, part, value)
        pipe.execute()


def read_clocks(redis: Redis) -> dict[str, float]:
    """CPU seconds by part since the last reset."""
    found = cast("dict[bytes, bytes]", redis.hgetall(KEY))
    return {part: float(found.get(part.encode(), 0)) for part in PARTS}


def reset_clocks(redis: Redis) -> None:
    """All parts start at nothing."""
    redis.delete(KEY)
