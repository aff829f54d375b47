"""What came of messages, per account and site, in buckets of ten seconds and of a minute: for the monitoring page.

A drain adds up in memory and writes once a second in one pipeline, so the hot path pays a dictionary entry per message
group and no round trip of its own (docs/adr/0019). PostgreSQL holds the truth; these figures live two hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from redis import Redis

from delivery.outcomes import Result
from delivery.sending.lease import Settled

MINUTE, SLOT = 60, 10
N_MINUTES = 60
KEPT_SECONDS = {MINUTE: 2 * 3600, SLOT: 60}
SINCE = "fanfare:counts:since"
RESULTS = ("accepted", "deferred", "refused", "other")
_NAMES = {Result.ACCEPTED: "accepted", Result.DEFERRED: "deferred", Result.REFUSED: "refused"}
# Nothing was tried with these.
_UNTRIED = (Result.SUPPRESSED, Result.CANCELLED)

Path = tuple[int, str]  # account and site


class Counts:
    """One drain's counts that are not written yet."""

    def __init__(self) -> None:
        self._waiting: Counter[tuple[int, str, str]] = Counter()

    def add(self, site: str, settled: Iterable[Settled]) -> None:
        """Outcomes that were written to the ledger."""
        for item in settled:
            outcome = item.outcome
            if item.account_id is not None and outcome.result not in _UNTRIED and outcome.reason != "recalled":
                self._waiting[item.account_id, site, _NAMES.get(outcome.result, "other")] += 1

    def write(self, redis: Redis) -> None:
        """Adds them to the buckets of now. Raises RedisError; then they are missing rather than counted twice."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, Counter()
        at = _now(redis)
        with redis.pipeline(transaction=False) as pipe:
            pipe.set(SINCE, at, nx=True)
            for width, kept in KEPT_SECONDS.items():
                key = _key(width, int(at) // width)
                for (account_id, site, name), n in waiting.items():
                    pipe.hincrby(key, f"{account_id}|{name}|{site}", n)
                pipe.expire(key, kept)
            pipe.execute()


@dataclass(frozen=True, slots=True)
class Hour:
    """The last 60 minutes, the newest last; by path and result, a number per minute."""

    minutes: list[datetime]
    paths: Mapping[Path, Mapping[str, list[int]]]
    since: datetime | None  # when Redis began to count: later than an hour ago where it was emptied

    def total(self, name: str, *, account_id: int | None = None, site: str | None = None) -> int:
        """Messages of the hour with that result."""
        return sum(self.per_minute(name, account_id=account_id, site=site))

    def per_minute(self, name: str, *, account_id: int | None = None, site: str | None = None) -> list[int]:
        """Messages with that result in each minute, of an account, of a site, or of all."""
        chosen = [
            results[name]
            for (account, its_site), results in self.paths.items()
            if name in results and account_id in (None, account) and site in (None, its_site)
        ]
        return [sum(values) for values in zip(*chosen, strict=True)] if chosen else [0] * len(self.minutes)


def read_hour(redis: Redis) -> Hour:
    """What the buckets of the last 60 minutes hold, in one round trip. Raises RedisError."""
    last = int(_now(redis)) // MINUTE
    numbers = list(range(last - N_MINUTES + 1, last + 1))
    buckets = _buckets(redis, MINUTE, numbers)
    paths: dict[Path, dict[str, list[int]]] = {}
    for at, bucket in enumerate(buckets):
        for path, name, n in bucket:
            paths.setdefault(path, {}).setdefault(name, [0] * N_MINUTES)[at] += n
    raw = cast("bytes | None", redis.get(SINCE))
    since = None if raw is None else datetime.fromtimestamp(float(raw), UTC)
    return Hour([datetime.fromtimestamp(number * MINUTE, UTC) for number in numbers], paths, since)


def read_rates(redis: Redis) -> dict[Path, float]:
    """Answers per second just now, over the last 10 to 20 s, by path. Raises RedisError."""
    now = _now(redis)
    last = int(now) // SLOT
    seconds = SLOT + now - last * SLOT
    rates: Counter[Path] = Counter()
    for bucket in _buckets(redis, SLOT, [last - 1, last]):
        for path, _, n in bucket:
            rates[path] += n
    return {path: n / seconds for path, n in rates.items()}


def _buckets(redis: Redis, width: int, numbers: Iterable[int]) -> list[list[tuple[Path, str, int]]]:
    with redis.pipeline(transaction=False) as pipe:
        for number in numbers:
            pipe.hgetall(_key(width, number))
        rows: list[dict[bytes, bytes]] = pipe.execute()
    return [[_line(field, value) for field, value in row.items()] for row in rows]


def _line(field: bytes, value: bytes) -> tuple[Path, str, int]:
    account_id, name, site = field.decode().split("|", 2)
    return (int(account_id), site), name, int(value)


def _key(width: int, number: int) -> str:
    return f"fanfare:counts:{width}:{number}"


def _now(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return float(seconds + microseconds / 1_000_000)
