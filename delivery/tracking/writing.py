"""Hits into Redis before they are answered: requests that arrive together share one command (docs/adr/0027)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from delivery.tracking.hits import QUEUE
from delivery.tracking.spill import Spill

log = structlog.get_logger()

# After a failure Redis is left alone for this long: nobody who clicks waits for its timeout.
PAUSE_SECONDS = 1.0


class _Group:
    """The hits of requests that wait for the same command."""

    __slots__ = ("entries", "gate", "kept")

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.gate = threading.Lock()
        self.gate.acquire()
        self.kept = False


class HitWriter:
    """Writes hits; safe to share between threads.

    While one command is under way the hits of other threads gather, and leave together in the next one: no timer, no
    delay when there is a single reader, and a fraction of a command per hit when there are many.
    """

    def __init__(self, redis: Redis, spill: Spill) -> None:
        self._pool = redis.connection_pool
        self._spill = spill
        self._gathering = threading.Lock()
        self._wire = threading.Lock()
        self._group = _Group()
        self._resume_at = 0.0
        self._looked_for_spills = False

    def write(self, entry: bytes) -> bool:
        """The entry is in Redis afterwards, or on this machine's disk; False where neither took it."""
        with self._gathering:
            group = self._group
            group.entries.append(entry)
            leads = len(group.entries) == 1
        if leads:
            with self._wire:
                self._lead(group)
            group.gate.release()
        else:
            with group.gate:
                pass
        return group.kept

    def _lead(self, group: _Group) -> None:
        with self._gathering:
            self._group = _Group()
        try:
            group.kept = self._to_redis(group.entries) or self._spill.keep(group.entries)
        finally:
            if not group.kept:
                log.error("hits lost", n=len(group.entries))

    def _to_redis(self, entries: Sequence[bytes]) -> bool:
        if time.monotonic() < self._resume_at:
            return False
        try:
            self._push(entries)
            if self._spill.is_used or not self._looked_for_spills:
                self._looked_for_spills = True
                n_sent = self._spill.send_back(self._push)
                if n_sent:
                    log.info("hits sent after an outage of Redis", n=n_sent)
        except RedisError as problem:
            self._resume_at = time.monotonic() + PAUSE_SECONDS
            log.error("Redis takes no hits", problem=str(problem))
            return False
        return True

    def _push(self, entries: Sequence[bytes]) -> None:
        """One RPUSH, without the client's layers: they cost more than the command (performance notes in ADR 0027)."""
        connection = self._pool.get_connection()
        try:
            connection.send_command("RPUSH", QUEUE, *entries)  # type: ignore[no-untyped-call]
            connection.read_response()
        except BaseException:
            connection.disconnect()  # type: ignore[no-untyped-call]
            raise
        finally:
            self._pool.release(connection)
