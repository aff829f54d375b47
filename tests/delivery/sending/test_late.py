"""After a lease was lost: what its holder still learns is put on record, and only that."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Contact, Suppression
from delivery.models import Deferral, Event, OutcomeRow
from delivery.outcomes import Outcome, Result
from delivery.progress import Progress
from delivery.sending import late
from delivery.sending.lease import Lease
from delivery.sending.ledger import tally
from delivery.sending.refusals import record_refusals
from delivery.services.finishing import finish_done_campaigns
from delivery.services.requeueing import requeue_due
from delivery.services.sweeping import sweep_dead_leases
from tests.delivery.factories import make_sending
from tests.delivery.ledger_steps import DEFERRED, advance, assert_adds_up, claim, expire_lease, no_refusals, settled

pytestmark = pytest.mark.django_db

DEAD = Outcome(Result.REFUSED, 550, "5.1.1", "no such user")


def swept(n: int, *, begun: int, handed_out: int) -> tuple[Campaign, Lease]:
    """A lease that was swept while its holder had handed out some of what it had journaled."""
    campaign = make_sending(n)
    lease = claim(campaign)
    advance(lease, begun)
    lease.next_position = handed_out
    expire_lease(campaign)
    assert sweep_dead_leases() == begun
    return campaign, lease


def test_a_late_refusal_is_a_bounce_and_suppresses_the_dead_address() -> None:
    campaign, lease = swept(3, begun=2, handed_out=2)
    late.resolve_late(lease, settled(lease, 0, outcome=DEAD), refusals=record_refusals)
    assert_adds_up(campaign, Progress(refused=1, uncertain=1, pending=1))
    contact = Contact.objects.get(pk=lease.people[0].contact_id)
    assert Suppression.objects.get().address == contact.address
    assert Event.objects.get().contact_id == contact.pk


def test_a_late_deferral_waits_for_its_time_and_is_sent_again() -> None:
    campaign, lease = swept(3, begun=2, handed_out=2)
    due_at = timezone.now() + timedelta(minutes=5)
    late.resolve_late(lease, settled(lease, 1, outcome=DEFERRED, due_at=due_at), refusals=no_refusals)
    assert_adds_up(campaign, Progress(deferred=1, uncertain=1, pending=1))
    assert requeue_due() == 0
    Deferral.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert requeue_due() == 1
    assert_adds_up(campaign, Progress(uncertain=1, pending=2))


def test_a_late_deferral_of_a_campaign_that_has_ended_stays_uncertain() -> None:
    campaign, lease = swept(2, begun=2, handed_out=2)
    assert finish_done_campaigns(now=timezone.now()) == 1
    late.resolve_late(lease, settled(lease, 1, outcome=DEFERRED, due_at=timezone.now()), refusals=no_refusals)
    late.take_back(lease, worker="w-1")
    assert_adds_up(campaign, Progress(uncertain=2))


def test_a_late_answer_changes_nothing_twice() -> None:
    campaign, lease = swept(2, begun=2, handed_out=2)
    late.resolve_late(lease, settled(lease, 0), refusals=no_refusals)
    late.resolve_late(lease, settled(lease, 0, outcome=DEAD), refusals=record_refusals)
    assert_adds_up(campaign, Progress(accepted=1, uncertain=1))
    assert not Suppression.objects.exists()


def test_what_was_journaled_and_not_handed_over_is_sent_after_all() -> None:
    campaign, lease = swept(5, begun=4, handed_out=1)
    late.take_back(lease, worker="w-1")
    assert_adds_up(campaign, Progress(uncertain=1, deferred=3, pending=1))
    assert finish_done_campaigns(now=timezone.now()) == 0
    assert requeue_due() == 3
    assert_adds_up(campaign, Progress(uncertain=1, pending=4))


def test_nobody_takes_back_what_a_later_holder_may_have_sent() -> None:
    campaign, lease = swept(5, begun=1, handed_out=1)
    later = claim(campaign, "w-2")
    advance(later, 4)
    expire_lease(campaign)
    sweep_dead_leases()
    lease.n_begun = 4  # as if a journal step that gave positions back had been committed, but its answer lost
    late.take_back(lease, worker="w-1")
    assert_adds_up(campaign, Progress(uncertain=4, pending=1))


@pytest.mark.django_db(transaction=True)
def test_two_late_answers_at_once_leave_the_right_counts() -> None:
    campaign, lease = swept(2, begun=2, handed_out=2)
    is_written, may_commit = threading.Event(), threading.Event()

    def resolve_first() -> None:
        from django.db import transaction

        with transaction.atomic(), connection.cursor() as cursor:
            OutcomeRow.objects.filter(batch_id=lease.batch_id, position=0).update(result=Result.ACCEPTED)
            tally(cursor, campaign.pk, lease.batch_id)
            is_written.set()
            may_commit.wait(10)
        connections.close_all()

    first = threading.Thread(target=resolve_first)
    first.start()
    assert is_written.wait(10)
    threading.Timer(0.2, may_commit.set).start()
    with connection.cursor() as cursor:
        OutcomeRow.objects.filter(batch_id=lease.batch_id, position=1).update(result=Result.ACCEPTED)
        tally(cursor, campaign.pk, lease.batch_id)
    first.join()
    assert_adds_up(campaign, Progress(accepted=2))
