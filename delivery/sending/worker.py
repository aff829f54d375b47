"""What one worker process keeps between drains: its event loop, its channels, its compiled campaigns."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import structlog
import uvloop
from django.conf import settings
from django.utils import timezone
from redis import Redis

from contacts.encryption import WrongKey
from delivery.models import Route
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.builders import Envelopes
from delivery.sending.channel import Channel
from delivery.sending.drain import Drain, Drained
from delivery.sending.ledger import worker_name
from delivery.sending.permits import RoutePermits
from delivery.sending.pool import PoolMember, RoutePool, read_pool
from delivery.sending.presence import WRONG_KEY, note_trouble
from delivery.sending.standing import Standing
from delivery.sending.stopping import is_stopping
from delivery.sending.transports import connect, fingerprint, lines_of
from delivery.sending.turns import Turns

log = structlog.get_logger()


class Worker:
    """One process's sending half; made on first use after the fork."""

    def __init__(self) -> None:
        # The ledger's thread waits for the interpreter after every answer: at the default 5 ms the connections starve.
        sys.setswitchinterval(0.0005)
        self.name = worker_name()
        self.loop = uvloop.new_event_loop()
        self.loop.set_exception_handler(_end_without_memory)
        self.redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
        self.envelopes = Envelopes()
        self._channels: dict[tuple[int, int], tuple[str, Channel]] = {}

    def drain(self, route: Route, *, seconds: float) -> Drained:
        """Sends what is due on `route` for at most `seconds`, then waits for what is in flight."""
        try:
            pool = read_pool(route.pk, now=timezone.now())
            if not pool.members:
                note_trouble(self.redis, route.pk, pool.why_empty)
                return Drained()
            return self.loop.run_until_complete(self._drain(route, pool, seconds))
        except WrongKey as problem:  # everybody waits: what was leased comes free by itself, nothing was begun
            log.error("secrets cannot be read", route=route.key, worker=self.name)
            note_trouble(self.redis, route.pk, f"{WRONG_KEY}{problem}")
            return Drained()
        except MemoryError:
            _end_process()
            raise

    async def _drain(self, route: Route, pool: RoutePool, seconds: float) -> Drained:
        channels = [await self._channel(member, pool.standing) for member in pool.members]
        bookkeeper = Bookkeeper(
            route.pk,
            worker=self.name,
            redis=self.redis,
            permits=RoutePermits(self.redis, pool.accounts, pool.sources),
            chooser=Turns(self.redis, route.pk),
            prepare=self.envelopes.prepare,
        )
        drained = await Drain(channels, bookkeeper, self.envelopes, seconds=seconds, stopping=is_stopping).run()
        log.info("drained", route=route.key, n_sent=drained.n_sent, troubles=len(drained.troubles), worker=self.name)
        return drained

    async def _channel(self, member: PoolMember, standing: Standing) -> Channel:
        """The member's channel; a changed account gets a new one and the old connections are closed."""
        account, source = member.account, member.source
        lines = lines_of(account, source, standing)
        mark = fingerprint(account, source, lines)
        known = self._channels.get(member.key)
        if known is not None and known[0] != mark:
            await known[1].close()
            known = None
        if known is None:
            known = mark, Channel(account.pk, member.name, lines.most, source_id=source.pk if source else 0)
            self._channels[member.key] = known
            known[1].site = lines.site
            connect(known[1], account, self.redis, source=source, lines=lines)
        channel = known[1]
        channel.join(rank=member.rank, weight=member.weight)
        if channel.transport is not None:
            channel.transport.open(lines.most)
        return channel

    async def close(self) -> None:
        """All connections said goodbye."""
        for _, channel in self._channels.values():
            await channel.close()


def _end_without_memory(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A callback that ran out of memory may have lost track of a message: the process ends, others go on."""
    if isinstance(context.get("exception"), MemoryError):
        _end_process()
    loop.default_exception_handler(context)


def _end_process() -> None:
    """At once and without cleaning up, as the kernel's out-of-memory killer does it; Celery starts a new child."""
    os.kill(os.getpid(), signal.SIGKILL)


_workers: dict[int, Worker] = {}


def this_worker() -> Worker:
    """This process's worker, made on first use: a fork starts with its own."""
    pid = os.getpid()
    if pid not in _workers:
        _workers.clear()
        _workers[pid] = Worker()
    return _workers[pid]


def close_worker() -> None:
    """This process's connections are closed, if it has any."""
    worker = _workers.pop(os.getpid(), None)
    if worker is not None:
        worker.loop.run_until_complete(worker.close())
