"""The drain's other thread: carries out one exchange with PostgreSQL and Redis, and judges outcomes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import connection
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from delivery.limits.errors import LimitsUnavailable
from delivery.outcomes import Outcome
from delivery.sending import late, ledger, presence
from delivery.sending.channel import Channel
from delivery.sending.judging import judge
from delivery.sending.lease import Lease, Person, Settled
from delivery.sending.refusals import record_refusals

RENEW_SECONDS = 1.0
# How often a campaign is looked at while its drain has nothing to write: pauses take effect within 2 s.
LOOK_SECONDS = 0.5
TURN_SECONDS = 1.0


@dataclass
class Order:
    """What the event loop asks of the ledger in one exchange."""

    channels: Sequence[Channel]
    write: dict[Lease, list[Settled]] = field(default_factory=dict)
    end: list[Lease] = field(default_factory=list)
    extend: Lease | None = None
    n_wanted: int = 0
    claim: bool = False
    retry: bool = False


@dataclass
class Report:
    """What became of an order."""

    begun: dict[Lease, int] = field(default_factory=dict)
    stopped: list[Lease] = field(default_factory=list)
    recalled: list[Lease] = field(default_factory=list)  # paused or cancelled: not even what waits to leave is sent
    ended: list[Lease] = field(default_factory=list)
    unmailable: dict[Lease, set[int]] = field(default_factory=dict)
    granted: dict[Channel, int] = field(default_factory=dict)
    wait_s: float = 0.0
    claimed: Lease | None = None
    leases_held: bool = False


class Permits(Protocol):
    """The limits as the drain sees them."""

    def take(self, channel: Channel, lease: Lease, n: int) -> tuple[int, float]:
        """(granted now, seconds until more may be had); charges every scope."""

    def close(self) -> None:
        """Permits that were not handed out go back."""

    @property
    def refused_by(self) -> str:
        """The limit that refused last, in words, or an empty text."""


class Chooser(Protocol):
    """Which campaign's turn it is on a route."""

    def choose(self, candidates: Sequence[tuple[int, int]]) -> list[int]:
        """Campaign ids in the order in which to try them; candidates are (campaign id, weight)."""

    def charge(self, campaign_id: int, n_messages: int) -> None:
        """The campaign got this many messages' worth of the route."""


class Bookkeeper:
    """One worker process's clerk for one route."""

    def __init__(
        self,
        route_id: int,
        *,
        worker: str,
        redis: Redis,
        permits: Permits,
        chooser: Chooser,
        prepare: Callable[[Lease], None],
    ) -> None:
        self._route_id = route_id
        self._worker = worker
        self._permits = permits
        self._chooser = chooser
        self._prepare = prepare
        self._audiences: dict[int, Mapping[str, Any]] = {}
        self._stop_mark: tuple[int, int] | None = None  # as of the last look
        self._seen_mark: tuple[int, int] | None = None  # as of the last journal step
        self._renewed: dict[Lease, float] = {}
        self._redis = redis
        self._trouble, self._trouble_wait_s = "", 0.0
        self._noted = 0.0
        self._turned = 0.0
        self._read_at = (timezone.now(), time.monotonic())  # PostgreSQL's clock at the last journal step, and ours

    @property
    def _now(self) -> datetime:
        """PostgreSQL's time: this machine's own clock may jump, or be wrong by days."""
        at, then = self._read_at
        return at + timedelta(seconds=time.monotonic() - then)

    def judge(self, lease: Lease, person: Person, account_id: int, outcome: Outcome) -> Settled:
        """The outcome as it will be written: a deferral gets its next time, or expires."""
        return judge(lease, person, account_id, outcome, now=self._now)

    def note_trouble(self, channel: Channel, text: str) -> None:
        """The last words of a server that would not talk to us, for the watchdog."""
        self._trouble, self._trouble_wait_s = f"{channel.name}: {text}", 0.0

    def note_outage(self, problem: Exception) -> None:
        """PostgreSQL or Redis refuses what must be written: sending stands still until it does not."""
        with contextlib.suppress(RedisError):
            presence.note_trouble(self._redis, self._route_id, f"{presence.OUTAGE}{type(problem).__name__}: {problem}")

    def carry_out(self, order: Order) -> Report:
        """One exchange. Safe to repeat after a failure with `order.retry` set."""
        report = Report()
        try:
            self._give_signs_of_life(order)
            n_granted = self._grant(order, report)
            for lease, items in order.write.items():
                self._write(lease, items, order, n_granted if lease is order.extend else 0, report)
            self._yield_turn(order, report)
            if order.claim:
                report.claimed = self._claim()
            self._look_for_stops(order, report)
        except Exception:
            connection.close()
            raise
        return report

    def _grant(self, order: Order, report: Report) -> int:
        """Permits for the messages that the journal will allow next, from the account that may send soonest."""
        if order.extend is None or order.n_wanted <= 0:
            return 0
        waits = []
        n_left = order.n_wanted
        for channel in order.channels:
            n, wait_s = self._permits.take(channel, order.extend, n_left)
            report.granted[channel] = n
            n_left -= n
            waits.append(wait_s)
            if n_left == 0:
                break
        if n_left == order.n_wanted:
            report.wait_s = min(waits)
            self._trouble = f"A limit is reached: {self._permits.refused_by}" if report.wait_s > RENEW_SECONDS else ""
            self._trouble_wait_s = report.wait_s
        return order.n_wanted - n_left

    def _write(self, lease: Lease, items: list[Settled], order: Order, n_granted: int, report: Report) -> None:
        begun = lease.next_position if lease.stopped else lease.n_begun + n_granted
        asked_at = time.monotonic()
        due = asked_at - self._renewed.get(lease, 0.0) >= LOOK_SECONDS
        if not (items or n_granted or due or lease in order.end):
            report.leases_held = report.leases_held or lease.n_begun > 0
            return
        try:
            journaled = ledger.advance(lease, begun, items, refusals=record_refusals, retry=order.retry)
            report.begun[lease] = begun
            self._renewed[lease] = time.monotonic()
            report.leases_held = True
            self._seen_mark = journaled.stop_mark
            self._read_at = (journaled.at, time.monotonic())
            if journaled.state == "sending":
                lease.seen_at = asked_at
            else:
                report.recalled.append(lease)
            if lease in order.end:
                ledger.end_lease(lease, due_at=self._hold(report))
                self._forget(lease, report)
        except ledger.LeaseLost:
            late.resolve_late(lease, items, refusals=record_refusals)
            # Answers come in while this thread writes: only a lease that was settled when it was ordered is over.
            if lease in order.end:
                late.take_back(lease, worker=self._worker)
                self._forget(lease, report)
            else:
                report.stopped.append(lease)

    def _give_signs_of_life(self, order: Order) -> None:
        if time.monotonic() - self._noted < RENEW_SECONDS:
            return
        self._noted = time.monotonic()
        presence.note_worker(self._redis, self._worker)
        presence.note_drain(self._redis, self._route_id, self._worker)
        for channel in order.channels:
            channel.renew_places()
        self._tell_trouble()

    def _tell_trouble(self) -> None:
        if self._trouble:
            presence.note_trouble(self._redis, self._route_id, self._trouble, wait_s=self._trouble_wait_s)
            self._trouble = ""

    def close(self) -> None:
        """The drain is over; called on the ledger's thread, whose database connection goes back to the pool."""
        connection.close()
        with contextlib.suppress(RedisError, LimitsUnavailable):
            self._permits.close()
            self._tell_trouble()
            presence.forget_drain(self._redis, self._route_id, self._worker)

    def _hold(self, report: Report) -> Any:
        """A throttled batch is not offered again before its limit allows."""
        return self._now + timedelta(seconds=report.wait_s) if report.wait_s > RENEW_SECONDS else None

    def _yield_turn(self, order: Order, report: Report) -> None:
        """Once a second: a campaign whose turn it is not hands its batch back, so that a small one need not wait."""
        lease = order.extend
        if lease is None or time.monotonic() - self._turned < TURN_SECONDS:
            return
        self._turned = time.monotonic()
        self._charge(lease)
        candidates = dict(ledger.campaigns_with_work(self._route_id)) | {lease.campaign_id: lease.weight}
        if self._chooser.choose(list(candidates.items()))[0] != lease.campaign_id:
            report.stopped.append(lease)

    def _charge(self, lease: Lease) -> None:
        n_handed_out = lease.next_position - lease.start
        self._chooser.charge(lease.campaign_id, n_handed_out - lease.n_charged)
        lease.n_charged = n_handed_out

    def _forget(self, lease: Lease, report: Report) -> None:
        self._charge(lease)
        report.ended.append(lease)
        self._renewed.pop(lease, None)

    def _claim(self) -> Lease | None:
        candidates = ledger.campaigns_with_work(self._route_id)
        for campaign_id in self._chooser.choose(candidates):
            lease = ledger.claim_batch(self._route_id, campaign_id, worker=self._worker)
            if lease is not None:
                lease.people = ledger.read_people(lease, self._audience(campaign_id))
                self._prepare(lease)
                self._renewed[lease] = time.monotonic()
                return lease
        return None

    def _audience(self, campaign_id: int) -> Mapping[str, Any]:
        if campaign_id not in self._audiences:
            self._audiences[campaign_id] = ledger.audience_of(campaign_id)
        return self._audiences[campaign_id]

    def _look_for_stops(self, order: Order, report: Report) -> None:
        """Who unsubscribed or was suppressed since the batch was read is not mailed, if the message has not left."""
        if self._seen_mark == self._stop_mark:
            return
        self._stop_mark = self._seen_mark
        for lease in order.write:
            waiting = [p.contact_id for p in lease.people[lease.next_position - lease.start :]]
            if waiting and lease not in report.ended:
                report.unmailable[lease] = ledger.stopped_since(waiting, self._audience(lease.campaign_id))
