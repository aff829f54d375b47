"""The drain's other thread: carries out one exchange with PostgreSQL and Redis, and judges outcomes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import DatabaseError, connection
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from delivery.limits.errors import LimitsUnavailable
from delivery.outcomes import Outcome
from delivery.sending import late, ledger, presence
from delivery.sending.breakers import Breakers
from delivery.sending.channel import Channel
from delivery.sending.counts import Counts
from delivery.sending.granting import Granter, Permits
from delivery.sending.hearing import Hearing
from delivery.sending.holds import Holds, suspended_sites
from delivery.sending.judging import detoured, judge
from delivery.sending.lease import Lease, Person, Settled
from delivery.sending.orders import Order, Refused, Report
from delivery.sending.refusals import record_refusals

RENEW_SECONDS = 1.0
# How often a campaign is looked at while its drain has nothing to write: pauses take effect within 2 s.
LOOK_SECONDS = 0.5
TURN_SECONDS = 1.0
# A batch that a limit holds back is offered again after this long at most: limits are raised, measures revoked.
LONGEST_HOLD_SECONDS = 60.0


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
        self._breakers = Breakers()
        self._granter = Granter(permits, self._breakers)
        self._hearing = Hearing(redis, self._breakers)
        self._holds = Holds()
        self._trouble, self._trouble_wait_s = "", 0.0
        self._counts = Counts()
        self._noted = 0.0
        self._turned = 0.0
        self._read_at = (timezone.now(), time.monotonic())  # PostgreSQL's clock at the last journal step, and ours

    def _clock(self) -> datetime:
        """PostgreSQL's time: this machine's own clock may jump, or be wrong by days."""
        at, then = self._read_at
        return at + timedelta(seconds=time.monotonic() - then)

    def judge(self, lease: Lease, person: Person, channel: Channel, outcome: Outcome) -> Settled:
        """The outcome as it will be written: a deferral gets its next time, or expires."""
        return judge(lease, person, channel, outcome, clock=self._clock)

    def detour(self, lease: Lease, person: Person) -> Settled:
        """The message goes on in the batches of its own site."""
        return detoured(lease, person, self._clock())

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
            self._look_after(order)
            targets = self._grant(order, report)
            for lease, items in order.write.items():
                self._write(lease, items, order, targets.get(lease, lease.n_begun), report)
            self._yield_turns(order, report)
            if order.claim:
                report.claimed = self._claim(order.channels)
            self._look_for_stops(order, report)
        except Exception:
            connection.close()
            raise
        return report

    def _look_after(self, order: Order) -> None:
        """The accounts' health, permits that come back, and once a second signs of life."""
        if time.monotonic() - self._noted >= RENEW_SECONDS:
            self._noted = time.monotonic()
            self._breakers.read(channel.account_id for channel in order.channels)
            self._permits.tidy()
            self._give_signs_of_life(order)
        if self._hearing.health(order.channels, self._permits.standing.rules, timezone.now()):
            self._permits.look_again()
        while order.returned:
            self._permits.put_back(*order.returned.pop())

    def _give_signs_of_life(self, order: Order) -> None:
        presence.note_worker(self._redis, self._worker)
        presence.note_drain(self._redis, self._route_id, self._worker)
        for channel in order.channels:
            channel.renew_places()
        self._tell_trouble()
        self._counts.write(self._redis)

    def _tell_trouble(self) -> None:
        if self._trouble:
            presence.note_trouble(self._redis, self._route_id, self._trouble, wait_s=self._trouble_wait_s)
            self._trouble = ""

    def _grant(self, order: Order, report: Report) -> dict[Lease, int]:
        """Permits for the messages that the journal will allow next; gives the journal's new end for each lease."""
        targets = {}
        room = order.room
        for lease, want in order.wants.items():
            ready = want.next_position + want.n_permits
            n = min(room + lease.n_begun, lease.n_messages) - ready
            if n <= 0:
                continue
            granted, refused = self._granter.grant(lease, n, order.channels)
            report.granted[lease] = granted
            targets[lease] = max(lease.n_begun, ready + sum(granted.values()))
            room -= targets[lease] - lease.n_begun
            lease.due_at = None
            if refused is not None and granted:
                report.more_in_s = min(report.more_in_s, refused.wait_s)
            elif refused is not None:
                self._note_refusal(lease, refused, report)
        report.withdrawn = [
            (channel, lease)
            for lease in order.write
            for channel in tuple(lease.permits)
            if self._granter.must_not(channel, lease)
        ]
        return targets

    def _note_refusal(self, lease: Lease, refused: Refused, report: Report) -> None:
        report.refused[lease] = refused
        if refused.own:
            self._holds.add(lease, refused)
        if refused.wait_s > RENEW_SECONDS:  # a throttled batch is not offered again before its limit allows
            wait_s = min(refused.wait_s, LONGEST_HOLD_SECONDS)
            lease.due_at = self._clock() + timedelta(seconds=wait_s)
            self._trouble, self._trouble_wait_s = refused.words, wait_s
        elif not refused.own:
            self._trouble = ""

    def _write(self, lease: Lease, items: list[Settled], order: Order, target: int, report: Report) -> None:
        begun = lease.next_position if lease.stopped else target
        asked_at = time.monotonic()
        due = asked_at - self._renewed.get(lease, 0.0) >= LOOK_SECONDS
        if not (items or begun > lease.n_begun or due or lease in order.end):
            report.leases_held = report.leases_held or lease.n_begun > 0
            return
        try:
            journaled = ledger.advance(lease, begun, items, refusals=record_refusals, retry=order.retry)
            report.begun[lease] = begun
            self._counts.add(lease.site, items)
            self._renewed[lease] = time.monotonic()
            report.leases_held = True
            self._seen_mark = journaled.stop_mark
            self._read_at = (journaled.at, time.monotonic())
            if journaled.state == "sending":
                lease.seen_at = asked_at
            else:
                report.recalled.append(lease)
            if self._hearing.outcomes(lease, items, self._permits.standing, timezone.now()):
                self._permits.look_again()
            if lease in order.end:
                ledger.end_lease(lease, due_at=lease.due_at)
                self._forget(lease, report)
        except ledger.LeaseLost:
            late.resolve_late(lease, items, refusals=record_refusals)
            # Answers come in while this thread writes: only a lease that was settled when it was ordered is over.
            if lease in order.end:
                late.take_back(lease, worker=self._worker)
                self._forget(lease, report)
            else:
                report.stopped.append(lease)

    def close(self, returned: Sequence[tuple[Channel, Lease, int]] = ()) -> None:
        """The drain is over; called on the ledger's thread, whose database connection goes back to the pool."""
        with contextlib.suppress(RedisError, LimitsUnavailable):
            for channel, lease, n in returned:
                self._permits.put_back(channel, lease, n)
            self._permits.close()
            self._tell_trouble()
            self._counts.write(self._redis)
            presence.forget_drain(self._redis, self._route_id, self._worker)
        with contextlib.suppress(DatabaseError):
            self._breakers.close(timezone.now())
        connection.close()

    def _yield_turns(self, order: Order, report: Report) -> None:
        """Once a second: a campaign whose turn it is not hands its batches back, so that a small one need not wait."""
        busy = [lease for lease, granted in report.granted.items() if granted]
        if not busy or time.monotonic() - self._turned < TURN_SECONDS:
            return
        self._turned = time.monotonic()
        for lease in busy:
            self._charge(lease)
        candidates = dict(self._candidates(order.channels)) | {lease.campaign_id: lease.weight for lease in busy}
        first = self._chooser.choose(list(candidates.items()))[0]
        report.stopped += [lease for lease in busy if lease.campaign_id != first]

    def _candidates(self, channels: Sequence[Channel]) -> list[tuple[int, int]]:
        """(campaign id, weight) of the campaigns that could give a batch now."""
        held = sorted({*self._holds.sites(), *suspended_sites(self._permits.standing, channels)})
        waiting = self._holds.campaigns()
        found = ledger.campaigns_with_work(self._route_id, held_sites=held)
        return [(campaign_id, weight) for campaign_id, weight in found if campaign_id not in waiting]

    def _charge(self, lease: Lease) -> None:
        n_handed_out = lease.next_position - lease.start
        self._chooser.charge(lease.campaign_id, n_handed_out - lease.n_charged)
        lease.n_charged = n_handed_out

    def _forget(self, lease: Lease, report: Report) -> None:
        self._charge(lease)
        report.ended.append(lease)
        self._renewed.pop(lease, None)

    def _claim(self, channels: Sequence[Channel]) -> Lease | None:
        standing = self._permits.standing
        for campaign_id in self._chooser.choose(self._candidates(channels)):
            held = sorted({*self._holds.sites(campaign_id), *suspended_sites(standing, channels, campaign_id)})
            lease = ledger.claim_batch(self._route_id, campaign_id, worker=self._worker, held_sites=held)
            if lease is not None:
                lease.people = ledger.read_people(lease, self._audience(campaign_id))
                limited = standing.limited_sites(since=lease.launched_at)
                if not lease.site and limited:
                    lease.detours = ledger.detours_of(lease, sorted(limited))
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
