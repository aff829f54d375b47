"""Draining a route: lease, journal, hand out, append; one coroutine beside the connections' callbacks.

The event loop builds and sends. Everything that waits for PostgreSQL or Redis runs on one other thread, a journal step
ahead, so that connections never wait for a commit. At most WINDOW messages are journaled and not written: that is what
a dead worker leaves uncertain (DESIGN 5.1).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from delivery.limits.errors import LimitsUnavailable
from delivery.outcomes import Outcome
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.channel import Channel
from delivery.sending.lease import Lease, Person, Settled
from delivery.sending.ledger import LEASE_SECONDS
from delivery.sending.orders import Order, Refused, Report, Want

if TYPE_CHECKING:
    from delivery.sending.api_pool import Letter
    from delivery.sending.builders import Envelopes
    from delivery.smtp.envelope import Envelope

WINDOW = 100
# Outcomes that make a journal step worth its commit; half the window, so that the other half keeps the wire busy.
STEP = 50
# Messages that are made in a row when a connection asks for one: 1.2 MB at 50 KB each.
AHEAD = 24
IDLE_SECONDS = 0.5
# Batches in hand at once: more than one only where some wait for limits of their own.
MAX_LEASES = 6
# Who waits longer than this for a limit hands its batch back.
LONGEST_WAIT_SECONDS = 5.0
# Nothing is handed out when the campaign was last seen sending longer ago than this: a pause is over within 2 s even
# when PostgreSQL takes its time.
FRESH_SECONDS = 1.5
# Nothing is handed out later than this after the start of the last exchange: the sweeper must not get there first.
SAFE_SECONDS = LEASE_SECONDS * 5 / 6
# A worker that cannot write gives up after this long; its open messages are uncertain then.
GIVE_UP_SECONDS = 300.0


@dataclass
class Drained:
    """What one drain did."""

    n_sent: int = 0
    n_settled: int = 0
    troubles: list[str] = field(default_factory=list)


class Drain:
    """One run over one route by one worker process."""

    def __init__(
        self,
        channels: Sequence[Channel],
        bookkeeper: Bookkeeper,
        envelopes: Envelopes,
        *,
        seconds: float,
        stopping: Callable[[], bool],
    ) -> None:
        self._channels = channels
        self._book = bookkeeper
        self._envelopes = envelopes
        self._until = time.monotonic() + seconds
        self._stopping = stopping
        self._leases: list[Lease] = []  # oldest first
        self._returned: list[tuple[Channel, Lease, int]] = []
        self._safe_until = 0.0
        self._starved = False  # a connection asked and nobody knew whether it may still send
        self._dry = False  # no batch was to be had at the last try
        self._exhausted = False
        self._limited = False  # what was granted last was all that a limit allows now
        self._wait = IDLE_SECONDS
        self._kick = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "ledger")
        self.result = Drained()

    async def run(self) -> Drained:
        """Sends until time is up, nothing is due, or a limit says to wait; all that was handed out is settled."""
        for channel in self._channels:
            channel.drain, channel.permits = self, 0
        try:
            while await self._step():
                await self._pause()
        finally:
            for channel in self._channels:
                channel.drain, channel.permits = None, 0
            await asyncio.get_running_loop().run_in_executor(self._thread, self._book.close, self._returned)
            self._thread.shutdown()
        return self.result

    # --- called by connections -----------------------------------------------------------------------------------

    def feed(self, channel: Channel) -> Any | None:
        """The next message for a connection of `channel`: journaled, permitted, still mailable."""
        now = time.monotonic()
        if now > self._safe_until:
            self._starved = True
            return None
        for lease in self._leases:
            while lease.permits.get(channel) and not lease.stopped and lease.next_position < lease.n_begun:
                if now - lease.seen_at > FRESH_SECONDS:
                    self._starved = True
                    break
                person = lease.people[lease.next_position - lease.start]
                lease.next_position += 1
                if lease.detours and person.position in lease.detours:
                    self._settled(lease, self._book.detour(lease, person))
                    continue
                made = self._make(lease, person, channel)
                if not isinstance(made, Outcome):
                    lease.permits[channel] -= 1
                    channel.permits -= 1
                    self.result.n_sent += 1
                    return made
                self._settled(lease, Settled(person.position, person.contact_id, None, made))
        self._kick.set()
        return None

    def _make(self, lease: Lease, person: Person, channel: Channel) -> Envelope | Letter | Outcome:
        if channel.takes_letters:
            lease.made.pop(person.position, None)
            return self._envelopes.make_letter(lease, person)
        if person.position not in lease.made:
            self._make_row(lease, person.position - lease.start)
        return lease.made.pop(person.position)

    def _make_row(self, lease: Lease, at: int) -> None:
        """The SMTP messages of the next people, as far as they are journaled.

        In a row, code and tables of values stay in the processor's caches: 5 % less CPU per message.
        """
        for person in lease.people[at : min(at + AHEAD, lease.n_begun - lease.start)]:
            lease.made[person.position] = self._envelopes.make(lease, person)

    def starve(self) -> None:
        """A call to an API waits for the journal: that costs more than a small step, so none is waited for."""
        if not self._limited and any(lease.unwritten for lease in self._leases):
            self._kick.set()

    def settle(self, channel: Channel, key: Any, outcome: Outcome) -> None:
        """An outcome from a connection."""
        lease, person = key
        self._settled(lease, self._book.judge(lease, person, channel, outcome))

    def trouble(self, channel: Channel, text: str) -> None:
        """A connection's trouble; the account's health is judged by the bookkeeper."""
        self.result.troubles.append(f"{channel.name}: {text}")
        self._book.note_trouble(channel, text)

    def _settled(self, lease: Lease, item: Settled) -> None:
        lease.unwritten.append(item)
        lease.n_settled += 1
        self.result.n_settled += 1
        if len(lease.unwritten) >= STEP or lease.n_in_flight == 0:
            self._kick.set()

    # --- the coordinator -----------------------------------------------------------------------------------------

    async def _step(self) -> bool:
        """One exchange with the ledger; False when the drain is over."""
        order = self._order()
        started = time.monotonic()
        report = await self._carry_out(order)
        if report.leases_held or report.claimed:
            self._safe_until = started + SAFE_SECONDS
        self._apply(order, report)
        return bool(self._leases) or not (self._closing or self._dry)

    @property
    def _closing(self) -> bool:
        return self._exhausted or self._stopping() or time.monotonic() >= self._until

    def _order(self) -> Order:
        if self._closing:
            for lease in self._leases:
                lease.stopped = True
        order = Order(channels=self._channels)
        order.returned, self._returned = self._returned, []
        for lease in self._leases:
            if lease.settled:
                order.end.append(lease)
            order.write[lease], lease.unwritten = lease.unwritten, []
        order.room = max(0, WINDOW - sum(lease.n_open - len(items) for lease, items in order.write.items()))
        now = time.monotonic()
        for channel in self._channels:
            channel.check(now)
        for lease in self._leases:
            want = Want(lease.next_position, lease.n_permits)
            if (
                not lease.stopped
                and lease.waits_until <= now
                and want.next_position + want.n_permits < lease.n_messages
            ):
                order.wants[lease] = want
        busy = any(lease.n_begun < lease.n_messages for lease in order.wants)
        order.claim = not busy and not self._closing and len(self._leases) < MAX_LEASES
        return order

    async def _carry_out(self, order: Order) -> Report:
        """The ledger's answer, however often PostgreSQL has to be asked; nothing is handed out meanwhile."""
        loop = asyncio.get_running_loop()
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return await loop.run_in_executor(self._thread, self._book.carry_out, order)
            except (DatabaseError, RedisError, LimitsUnavailable, OSError) as problem:
                await loop.run_in_executor(self._thread, self._book.note_outage, problem)
                if time.monotonic() > give_up_at:
                    raise
                order.retry = True
                await asyncio.sleep(0.5)

    def _apply(self, order: Order, report: Report) -> None:
        for lease, items in order.write.items():
            lease.n_written += len(items)
        for lease, n_begun in report.begun.items():
            lease.n_begun = n_begun
        self._heed(report)
        self._dry = order.claim and report.claimed is None
        if report.claimed is not None:
            self._leases.append(report.claimed)
            self._kick.set()
        self._move_permits(report)
        for lease in report.ended:
            self._leases.remove(lease)
        self._set_waits(report)
        starved, self._starved = self._starved, False
        granted = {channel for by_channel in report.granted.values() for channel in by_channel}
        for channel in self._channels if starved else granted:
            channel.wake()

    def _heed(self, report: Report) -> None:
        """Stopped batches hand out no more, recalled ones not even what waits to leave, and who left gets nothing."""
        for lease in (*report.stopped, *report.recalled):
            lease.stopped = True
        recalled = set(report.recalled)
        for channel in self._channels if recalled else ():
            channel.recall(lambda key: key[0] in recalled)
        for lease, contact_ids in report.unmailable.items():
            lease.people = [p._replace(mailable=False) if p.contact_id in contact_ids else p for p in lease.people]
            lease.made.clear()

    def _set_waits(self, report: Report) -> None:
        self._wait = min(IDLE_SECONDS, report.more_in_s)
        self._limited = report.more_in_s < IDLE_SECONDS or bool(report.refused)
        for lease, refused in report.refused.items():
            self._put_off(lease, refused)
        waits = [lease.waits_until - time.monotonic() for lease in self._leases if not lease.stopped]
        self._wait = min([self._wait, *(wait for wait in waits if wait > 0)])

    def _move_permits(self, report: Report) -> None:
        for lease, granted in report.granted.items():
            for channel, n in granted.items():
                lease.permits[channel] = lease.permits.get(channel, 0) + n
                channel.permits += n
        for channel, lease in report.withdrawn:
            self._take_permits(channel, lease)
        for lease in report.ended:
            for channel in list(lease.permits):
                self._take_permits(channel, lease)

    def _put_off(self, lease: Lease, refused: Refused) -> None:
        """A limit refused: its own is waited for beside other batches, one that all share by all.

        What it granted before, the last of a day's quota, leaves first.
        """
        self._wait = min(self._wait, refused.wait_s)
        long = refused.wait_s > LONGEST_WAIT_SECONDS
        waiting_for_it = [lease] if refused.own else self._leases
        if long and any(other.n_permits for other in waiting_for_it):
            return
        if not refused.own:
            self._exhausted = self._exhausted or long
        elif long:
            lease.stopped = True
        else:
            lease.waits_until = time.monotonic() + refused.wait_s
            self._kick.set()

    def _take_permits(self, channel: Channel, lease: Lease) -> None:
        n = lease.permits.pop(channel, 0)
        channel.permits -= n
        if n:
            self._returned.append((channel, lease, n))
            self._kick.set()

    async def _pause(self) -> None:
        """Until a step is worth taking: enough outcomes, a starving connection, a limit's wait, or a second."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._kick.wait(), self._wait)
        self._kick.clear()
