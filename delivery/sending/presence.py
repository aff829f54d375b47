"""Signs of life in Redis: which workers live, which drain which route, and their servers' last words.

All times are Redis' own: the clocks of the machines may differ or jump.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

WORKERS = "fanfare:workers"
ALIVE_SECONDS = 15
DRAINS_SECONDS = 10
TROUBLE_SECONDS = 60


def note_worker(redis: Redis, name: str) -> None:
    """This worker is alive."""
    redis.zadd(WORKERS, {name: _now(redis) + ALIVE_SECONDS})
    redis.zremrangebyscore(WORKERS, "-inf", _now(redis) - 3600)


def count_workers(redis: Redis) -> int:
    """Workers that gave a sign of life within the last 15 s."""
    return int(redis.zcount(WORKERS, _now(redis), "+inf"))


def note_drain(redis: Redis, route_id: int, worker: str) -> None:
    """This worker drains the route, for 10 s more unless it says so again."""
    redis.zadd(_drains(route_id), {worker: _now(redis) + DRAINS_SECONDS})
    redis.expire(_drains(route_id), 60)


def forget_drain(redis: Redis, route_id: int, worker: str) -> None:
    """This worker drains the route no more."""
    redis.zrem(_drains(route_id), worker)


def count_drains(redis: Redis, route_id: int) -> int:
    """Drains of this route under way."""
    return int(redis.zcount(_drains(route_id), _now(redis), "+inf"))


def note_trouble(redis: Redis, route_id: int, text: str) -> None:
    """What stands in this route's way, in the server's or the limit's words; kept for a minute."""
    redis.set(_trouble(route_id), text[:500], ex=TROUBLE_SECONDS)


def last_trouble(redis: Redis, route_id: int) -> str:
    """The newest trouble of the last minute, or an empty text."""
    raw = cast("bytes | None", redis.get(_trouble(route_id)))
    return raw.decode() if raw else ""


def _now(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1_000_000


def _drains(route_id: int) -> str:
    return f"fanfare:drains:{route_id}"


def _trouble(route_id: int) -> str:
    return f"fanfare:trouble:{route_id}"
