"""The numbers add up, and nobody is handed over twice, whatever happens to batches and in whatever order."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from campaigns.models import Campaign
from delivery.events import NewEvent, append_events, event_key
from delivery.models import Batch, Deferral, OutcomeRow
from delivery.outcomes import Outcome, Result
from delivery.partitions import ensure_event_partitions
from delivery.progress import progress_of, recount
from delivery.sending import late, ledger
from delivery.sending.lease import Lease, Settled
from delivery.services import uncertain
from delivery.services.finishing import finish_done_campaigns, settle_cancelled
from delivery.services.requeueing import requeue_due
from delivery.services.sweeping import sweep_dead_leases
from tests.delivery.factories import make_list, make_readers, make_route, make_sending
from tests.delivery.ledger_steps import no_refusals

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

N = 12
EXAMPLES = int(os.environ.get("STATE_SUMS_EXAMPLES", "25"))  # 1,000 take a quarter of an hour
ANSWERS = [Result.ACCEPTED, Result.DEFERRED, Result.REFUSED, Result.FAILED, Result.UNCERTAIN, Result.SUPPRESSED]
PAST = timedelta(hours=1)


@dataclass(eq=False)
class Holder:
    """A worker with a lease, or with one that it does not know to be lost."""

    lease: Lease
    worker: str
    in_flight: list[int] = field(default_factory=list)  # positions handed to a connection and not answered

    def answers(self, n: int, result: Result) -> list[Settled]:
        """The first n messages in flight are answered."""
        taken, self.in_flight = self.in_flight[:n], self.in_flight[n:]
        due_at = timezone.now() + PAST if result is Result.DEFERRED else None
        people = {person.position: person.contact_id for person in self.lease.people}
        return [Settled(p, people[p], None, Outcome(result, text="so it is"), due_at) for p in taken]


class Ledger(RuleBasedStateMachine):
    """One campaign, its holders, and whom a connection was given: `may_get` are those who may be handed over."""

    campaign: Campaign
    by: User
    contacts: list[int]

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint()
        self.holders: list[Holder] = []
        self.n_workers = 0
        self.may_get = set(self.contacts)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    @invariant()
    def the_states_add_up_to_the_audience(self) -> None:
        progress = progress_of(self.campaign.pk)
        assert progress == recount(self.campaign.pk)
        assert progress.total == N
        assert progress.waiting == 0 or self._state() != "finished"

    @rule()
    def claim(self) -> None:
        route_id = Batch.objects.filter(campaign_id=self.campaign.pk)[0].route_id
        self.n_workers += 1
        worker = f"w-{self.n_workers}"
        lease = ledger.claim_batch(route_id, self.campaign.pk, worker=worker)
        if lease is not None:
            lease.people = ledger.read_people(lease, ledger.audience_of(self.campaign.pk))
            self.holders.append(Holder(lease, worker))

    @rule(
        which=st.integers(0, 3),
        n_begun=st.integers(0, 5),
        n_answered=st.integers(0, 5),
        result=st.sampled_from(ANSWERS),
    )
    def take_a_journal_step(self, which: int, n_begun: int, n_answered: int, result: Result) -> None:
        if which >= len(self.holders):
            return
        holder = self.holders[which]
        lease = holder.lease
        begun = min(lease.n_messages, lease.n_begun + n_begun)
        answers = holder.answers(n_answered, result)
        try:
            journaled = ledger.advance(lease, begun, answers, refusals=no_refusals)
        except ledger.LeaseLost:
            lease.stopped = True
            self._learn_late(holder, answers)
            return
        lease.n_begun = begun
        lease.stopped = lease.stopped or journaled.state != "sending"
        self._answered(answers)

    @rule(which=st.integers(0, 3), n=st.integers(1, 4))
    def hand_over(self, which: int, n: int) -> None:
        """What a stopped clock would let happen too: a lost lease that does not know it yet."""
        if which >= len(self.holders) or self.holders[which].lease.stopped:
            return
        holder = self.holders[which]
        for person in holder.lease.people:
            if n and holder.lease.next_position == person.position < holder.lease.n_begun:
                assert person.contact_id in self.may_get, "handed over twice"
                self.may_get.remove(person.contact_id)
                holder.in_flight.append(person.position)
                holder.lease.next_position += 1
                n -= 1

    @rule(which=st.integers(0, 3))
    def end_the_lease(self, which: int) -> None:
        if which >= len(self.holders) or self.holders[which].in_flight:
            return
        holder = self.holders.pop(which)
        holder.lease.stopped = True
        try:
            ledger.advance(holder.lease, holder.lease.next_position, [], refusals=no_refusals)
            ledger.end_lease(holder.lease)
        except ledger.LeaseLost:
            late.take_back(holder.lease, worker=holder.worker)

    @rule(which=st.integers(0, 3))
    def die(self, which: int) -> None:
        if which < len(self.holders):
            self.holders.pop(which)

    @rule()
    def sweep_after_an_hour(self) -> None:
        Batch.objects.filter(campaign_id=self.campaign.pk, state="leased").update(lease_until=timezone.now() - PAST)
        sweep_dead_leases()

    @rule()
    def requeue(self) -> None:
        Deferral.objects.filter(campaign_id=self.campaign.pk, taken_at=None).update(due_at=timezone.now() - PAST)
        requeue_due()

    @rule(is_paused=st.booleans())
    def pause_or_resume(self, is_paused: bool) -> None:
        source, target = ("sending", "paused") if is_paused else ("paused", "sending")
        Campaign.objects.filter(pk=self.campaign.pk, state=source).update(state=target)

    @rule(often=st.integers(0, 9))
    def cancel(self, often: int) -> None:
        if not often:
            Campaign.objects.filter(pk=self.campaign.pk, state__in=("sending", "paused")).update(state="cancelled")

    @rule(often=st.integers(0, 9))
    def let_two_days_pass(self, often: int) -> None:
        if not often:
            Campaign.objects.filter(pk=self.campaign.pk).update(launched_at=timezone.now() - timedelta(hours=49))

    @rule()
    def tidy(self) -> None:
        settle_cancelled()
        finish_done_campaigns(now=timezone.now())

    @rule(pick=st.integers(0, N - 1))
    def a_person_accepts(self, pick: int) -> None:
        uncertain.accept_uncertain(self.campaign.pk, contact_id=self._contact(pick), by=self.by, now=timezone.now())

    @rule(pick=st.integers(0, N - 1))
    def a_person_sends_again(self, pick: int) -> None:
        contact_id = self._contact(pick)
        try:
            if uncertain.send_uncertain_again(self.campaign.pk, contact_id=contact_id, by=self.by, now=timezone.now()):
                self.may_get.add(contact_id)  # a second copy is what that person decided
        except uncertain.CannotSendAgain:
            assert self._state() == "cancelled" or self._is_too_late()

    @rule(pick=st.integers(0, N - 1))
    def somebody_clicks(self, pick: int) -> None:
        now = timezone.now()
        contact_id = self._contact(pick)
        key = event_key("click", contact_id)
        append_events([NewEvent("clicked", key, now, self.campaign.pk, contact_id, verdict="human")], now=now)
        uncertain.accept_by_events(now=now)

    def _learn_late(self, holder: Holder, answers: list[Settled]) -> None:
        late.resolve_late(holder.lease, answers, refusals=no_refusals)
        waiting = Deferral.objects.filter(batch_id=holder.lease.batch_id).values_list("position", flat=True)
        self.may_get |= {item.contact_id for item in answers if item.due_at and item.position in set(waiting)}

    def _answered(self, answers: list[Settled]) -> None:
        self.may_get |= {item.contact_id for item in answers if item.outcome.result is Result.DEFERRED}

    def _contact(self, pick: int) -> int:
        return self.contacts[pick]

    def _state(self) -> str:
        return Campaign.objects.values_list("state", flat=True).get(pk=self.campaign.pk)

    def _is_too_late(self) -> bool:
        launched_at = Campaign.objects.values_list("launched_at", flat=True).get(pk=self.campaign.pk)
        return launched_at is not None and launched_at < timezone.now() - timedelta(hours=48)


def test_sums_over_states_hold_for_any_sequence_of_operations() -> None:
    mailing_list = make_list()
    Ledger.contacts = [contact.pk for contact in make_readers(N, mailing_list)]
    Ledger.campaign = make_sending(0, mailing_list=mailing_list, route=make_route())
    Ledger.by = User.objects.create_superuser("olga", "olga@example.com", "x")
    ensure_event_partitions(timezone.now())
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
    bounds = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Ledger, settings=bounds)
    assert not OutcomeRow.objects.exists()  # every example was undone
