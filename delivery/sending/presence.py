"""Signs of life in Redis: which processes live, what ticks, who drains which route, and servers' last words.

All times are Redis' own: the clocks of the machines may differ or jump.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from redis import Redis

WORKERS = "fanfare:workers"
PROCESSES = "fanfare:processes"
BEAT = "fanfare:beat"
TICK = "fanfare:tick"
ALIVE_SECONDS = 15
DRAINS_SECONDS = 10
TROUBLE_SECONDS = 60
# How the trouble of a drain begins that cannot write; the watchdog knows it by this.
OUTAGE = "Cannot write: "
# And of one that cannot read credentials or a signing key.
WRONG_KEY = "Cannot read secrets: "


def note_worker(redis: Redis, name: str) -> None:
    """This worker is alive."""
    redis.zadd(WORKERS, {name: _now(redis) + ALIVE_SECONDS})
    redis.zremrangebyscore(WORKERS, "-inf", _now(redis) - 3600)


def count_workers(redis: Redis) -> int:
    """Workers that gave a sign of life within the last 15 s."""
    return int(redis.zcount(WORKERS, _now(redis), "+inf"))


@dataclass(frozen=True, slots=True)
class Process:
    """A Celery worker and the queues it takes; `quiet_s` seconds since its last sign of life."""

    name: str
    queues: str
    quiet_s: float

    @property
    def is_alive(self) -> bool:
        """Whether it was heard within 15 s."""
        return self.quiet_s < ALIVE_SECONDS


def note_process(redis: Redis, name: str, queues: Iterable[str]) -> None:
    """This Celery worker is alive; it is forgotten after an hour of silence."""
    now = _now(redis)
    redis.zadd(PROCESSES, {f"{name}\t{', '.join(sorted(queues))}": now})
    redis.zremrangebyscore(PROCESSES, "-inf", now - 3600)


def list_processes(redis: Redis) -> list[Process]:
    """The Celery workers of the last hour, by name."""
    rows = cast("list[tuple[bytes, float]]", redis.zrange(PROCESSES, 0, -1, withscores=True))
    now = _now(redis)
    found = [(member.decode().partition("\t"), now - seen_at) for member, seen_at in rows]
    return sorted((Process(name, queues, quiet_s) for (name, _, queues), quiet_s in found), key=lambda p: p.name)


def note_beat(redis: Redis) -> None:
    """Beat sends ticks."""
    redis.set(BEAT, _now(redis))


def note_tick(redis: Redis) -> None:
    """A worker carried a tick of the queue `plan` out."""
    redis.set(TICK, _now(redis))


def quiet_seconds(redis: Redis, key: str) -> float | None:
    """Seconds since BEAT or TICK was noted; None where it never was."""
    raw = cast("bytes | None", redis.get(key))
    return None if raw is None else max(0.0, _now(redis) - float(raw))


def note_drain(redis: Redis, route_id: int, worker: str) -> None:
    """This worker drains the route, for 10 s more unless it says so again."""
    redis.zadd(_drains(route_id), {worker: _now(redis) + DRAINS_SECONDS})
    redis.expire(_drains(route_id), 60)


def forget_drain(redis: Redis, route_id: int, worker: str) -> None:
    """This worker drains the route no more."""
    redis.zrem(_drains(route_id), worker)


def count_drains(redis: Redis, route_id: int) -> int:
    """Drains of this route under way."""
    return count_drains_of(redis, [route_id])[route_id]


def count_drains_of(redis: Redis, route_ids: Sequence[int]) -> dict[int, int]:
    """The same for many routes, in two round trips."""
    now = _now(redis)
    with redis.pipeline(transaction=False) as pipe:
        for route_id in route_ids:
            pipe.zcount(_drains(route_id), now, "+inf")
        return dict(zip(route_ids, pipe.execute(), strict=True))


def note_trouble(redis: Redis, route_id: int, text: str, *, wait_s: float = 0.0) -> None:
    """What stands in this route's way, in the server's or the limit's words; kept for a minute after `wait_s`."""
    redis.set(_trouble(route_id), text[:500], ex=TROUBLE_SECONDS + int(wait_s))


def last_trouble(redis: Redis, route_id: int) -> str:
    """The newest trouble that may still hold, or an empty text."""
    raw = cast("bytes | None", redis.get(_trouble(route_id)))
    return raw.decode() if raw else ""


def _now(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1_000_000


def _drains(route_id: int) -> str:
    return f"fanfare:drains:{route_id}"


def _trouble(route_id: int) -> str:
    return f"fanfare:trouble:{route_id}"
