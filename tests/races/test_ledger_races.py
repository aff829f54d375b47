"""Rivals at the ledger: whoever comes second changes nothing, and the numbers add up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from campaigns.models import Campaign
from delivery.models import Batch, Deferral, Message, OutcomeRow, Resolution
from delivery.progress import Progress, progress_of
from delivery.sending import late, ledger
from delivery.services.finishing import finish_done_campaigns, settle_cancelled
from delivery.services.planning import plan_next_campaign
from delivery.services.requeueing import requeue_due
from delivery.services.sweeping import sweep_dead_leases
from delivery.services.uncertain import accept_uncertain, send_uncertain_again
from tests.delivery.factories import make_list, make_preparing, make_readers, make_route, make_sending, only_batch
from tests.delivery.ledger_steps import DEFERRED, advance, assert_adds_up, claim, expire_lease, no_refusals, settled
from tests.races.rivals import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 8


def test_one_batch_is_leased_to_one_of_many_workers() -> None:
    campaign = make_sending(3)
    route_id = only_batch(campaign).route_id
    claims = [lambda n=n: ledger.claim_batch(route_id, campaign.pk, worker=f"w-{n}") for n in range(MANY)]
    leases = [lease for lease in at_once(*claims) if lease is not None]
    assert [lease.fence for lease in leases] == [1]
    assert_adds_up(campaign, Progress(claimed=3))


def test_one_campaign_is_planned_by_one_of_many_planners() -> None:
    mailing_list = make_list()
    make_readers(5, mailing_list)
    make_route()
    campaign = make_preparing(mailing_list)
    planned = at_once(*[lambda: plan_next_campaign(now=timezone.now())] * 4)
    assert [plan.n_messages for plan in planned if plan] == [5]
    assert Message.objects.filter(campaign_id=campaign.pk).count() == 5
    assert_adds_up(campaign, Progress(pending=5))


@pytest.mark.parametrize("turn", range(3))
def test_a_holder_and_the_sweeper_meet_and_one_of_them_wins(turn: int) -> None:
    campaign = make_sending(4)
    lease = claim(campaign)
    advance(lease, 2)
    expire_lease(campaign)
    answers = settled(lease, 0, 1)

    def write() -> None:
        try:
            ledger.advance(lease, 4, answers, refusals=no_refusals)
        except ledger.LeaseLost:
            late.resolve_late(lease, answers, refusals=no_refusals)

    at_once(write, sweep_dead_leases)
    progress = progress_of(campaign.pk)
    assert progress in (Progress(accepted=2, sending=2), Progress(accepted=2, pending=2))
    assert_adds_up(campaign, progress)


def test_many_sweepers_call_a_message_uncertain_once() -> None:
    campaign = make_sending(6)
    advance(claim(campaign), 4)
    expire_lease(campaign)
    assert sum(at_once(*[sweep_dead_leases] * 4)) == 4
    assert_adds_up(campaign, Progress(uncertain=4, pending=2))


def test_many_ticks_move_a_deferred_message_once() -> None:
    campaign = make_sending(6)
    lease = claim(campaign)
    advance(lease, 6)
    advance(lease, 6, settled(lease, *range(6), outcome=DEFERRED, due_at=timezone.now()))
    ledger.end_lease(lease)
    assert sum(at_once(*[requeue_due] * 4)) == 6
    assert Deferral.objects.filter(taken_at=None).count() == 0
    assert sum(batch.n_messages for batch in Batch.objects.filter(attempt=2)) == 6
    assert_adds_up(campaign, Progress(pending=6))


def test_two_people_who_decide_at_once_decide_once() -> None:
    people = [User.objects.create_superuser(name, f"{name}@example.com", "x") for name in ("ann", "ben")]
    campaign = make_sending(5)
    advance(claim(campaign), 5)
    expire_lease(campaign)
    sweep_dead_leases()
    ann, ben = people
    n_accepted, n_again = at_once(
        lambda: accept_uncertain(campaign.pk, by=ann, now=timezone.now()),
        lambda: send_uncertain_again(campaign.pk, by=ben, now=timezone.now()),
    )
    assert (n_accepted, n_again) in ((5, 0), (0, 5))
    assert Resolution.objects.count() == 5
    assert_adds_up(campaign, Progress(accepted=n_accepted, deferred=n_again))


@pytest.mark.parametrize("turn", range(3))
def test_a_campaign_does_not_end_over_a_message_that_goes_back_to_waiting(turn: int) -> None:
    olga = User.objects.create_superuser("olga", "olga@example.com", "x")
    campaign = make_sending(2)
    advance(claim(campaign), 2)
    expire_lease(campaign)
    sweep_dead_leases()
    at_once(
        lambda: finish_done_campaigns(now=timezone.now()),
        lambda: send_uncertain_again(campaign.pk, by=olga, now=timezone.now()),
    )
    assert Campaign.objects.get(pk=campaign.pk).state == "sending"
    assert_adds_up(campaign, Progress(deferred=2))


@pytest.mark.parametrize("turn", range(3))
def test_a_cancellation_and_a_claim_leave_no_message_without_an_end(turn: int) -> None:
    campaign = make_sending(3)
    route_id = only_batch(campaign).route_id

    def cancel() -> None:
        Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
        settle_cancelled()

    lease, _ = at_once(
        lambda: ledger.claim_batch(route_id, campaign.pk, worker="w-1"),
        cancel,
    )
    if lease is not None:
        assert ledger.advance(lease, 0, [], refusals=no_refusals).state == "cancelled"
        ledger.end_lease(lease)
        settle_cancelled()
    assert_adds_up(campaign, Progress(cancelled=3))
    assert OutcomeRow.objects.filter(campaign_id=campaign.pk).count() == 0


def test_the_same_step_written_by_two_holders_of_one_lease_is_written_once() -> None:
    """As when a task was delivered twice and both copies believe that the lease is theirs."""
    campaign = make_sending(4)
    lease = claim(campaign)
    advance(lease, 4)
    Batch.objects.update(lease_until=timezone.now() + timedelta(minutes=5))

    def write() -> bool:
        try:
            ledger.advance(lease, 4, settled(lease, 0, 1), refusals=no_refusals, retry=True)
        except Exception as problem:  # noqa: BLE001 - the loser's error is the unique key's
            return "one_outcome_per_attempt" not in str(problem) and "pkey" not in str(problem)
        return True

    at_once(write, write)
    assert_adds_up(campaign, Progress(accepted=2, sending=2))
