"""The ledger: claims are fenced, the journal bounds what is uncertain, and the numbers add up at every step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import Batch, Deferral, Message, OutcomeRow
from delivery.progress import Progress
from delivery.sending import late, ledger
from delivery.sending.people import merge_context
from delivery.services.finishing import finish_done_campaigns, settle_cancelled
from delivery.services.requeueing import requeue_due
from delivery.services.sweeping import sweep_dead_leases
from tests.delivery.factories import make_sending, only_batch
from tests.delivery.ledger_steps import (
    DEFERRED,
    advance,
    assert_adds_up,
    claim,
    expire_lease,
    no_refusals,
    settled,
)

pytestmark = pytest.mark.django_db


def test_a_planned_campaign_is_pending() -> None:
    assert_adds_up(make_sending(3), Progress(pending=3))


def test_a_claim_reads_its_people_in_order_and_counts_as_claimed() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    assert [person.position for person in lease.people] == [0, 1, 2]
    assert [person.mailable for person in lease.people] == [True, True, True]
    assert_adds_up(campaign, Progress(claimed=3))


def test_a_leased_batch_cannot_be_claimed_again() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    assert ledger.claim_batch(lease.route_id, campaign.pk, worker="w-2") is None


def test_a_paused_campaign_gives_no_batch() -> None:
    campaign = make_sending(3)
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    assert ledger.claim_batch(only_batch(campaign).route_id, campaign.pk, worker="w-1") is None


def test_the_journal_and_the_outcomes_are_one_step() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    assert advance(lease, 2) == "sending"
    assert_adds_up(campaign, Progress(sending=2, claimed=1))
    advance(lease, 3, settled(lease, 0))
    assert_adds_up(campaign, Progress(sending=2, accepted=1))


def test_a_journal_step_changes_no_indexed_value() -> None:
    """So PostgreSQL adds no entry to any of the batches' eight indexes (a heap-only tuple)."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, Batch._meta.db_table)
    indexed = {column for each in constraints.values() if each["index"] for column in each["columns"]}
    assert "route_id" in indexed
    assert indexed.isdisjoint({"n_begun", "lease_until"})


def test_a_claim_reads_custom_fields_of_every_script() -> None:
    campaign = make_sending(2)
    fields = {"city": "Zürich", "store": "北京", "note": 'a "b" \\ c'}
    Contact.objects.filter(pk=Message.objects.get(campaign_id=campaign.pk, position=0).contact_id).update(fields=fields)
    first, second = (merge_context(person) for person in claim(campaign).people)
    assert {key: first[key] for key in ("store", "note")} == {"store": "北京", "note": 'a "b" \\ c'}
    assert "store" not in second


def test_a_finished_batch_carries_its_counts_and_the_campaign_finishes() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    advance(lease, 3, settled(lease, 0, 1, 2))
    ledger.end_lease(lease)
    assert only_batch(campaign).n_accepted == 3
    assert finish_done_campaigns(now=timezone.now()) == 1
    assert_adds_up(campaign, Progress(accepted=3))


def test_a_step_tried_twice_after_a_lost_answer_writes_once() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    items = settled(lease, 0, 1)
    advance(lease, 3, items)
    advance(lease, 3, items, retry=True)
    assert OutcomeRow.objects.filter(campaign_id=campaign.pk).count() == 2


def test_a_holder_whose_lease_was_swept_writes_nothing() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    advance(lease, 2)
    expire_lease(campaign)
    assert sweep_dead_leases() == 2
    with pytest.raises(ledger.LeaseLost):
        advance(lease, 3, settled(lease, 0))
    assert_adds_up(campaign, Progress(uncertain=2, pending=1))


def test_a_swept_batch_is_sent_from_where_the_journal_ended() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    advance(lease, 2, settled(lease, 0))
    expire_lease(campaign)
    assert sweep_dead_leases() == 1
    again = claim(campaign, "w-2")
    assert [person.position for person in again.people] == [2]
    advance(again, 3, settled(again, 2))
    ledger.end_lease(again)
    assert_adds_up(campaign, Progress(accepted=2, uncertain=1))


def test_a_lease_that_still_runs_is_not_swept() -> None:
    campaign = make_sending(3)
    claim(campaign)
    assert sweep_dead_leases() == 0
    assert only_batch(campaign).state == "leased"


def test_a_late_answer_resolves_what_the_sweeper_called_uncertain() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    advance(lease, 2)
    expire_lease(campaign)
    sweep_dead_leases()
    late.resolve_late(lease, settled(lease, 0), refusals=no_refusals)
    assert_adds_up(campaign, Progress(accepted=1, uncertain=1, pending=1))


def test_a_released_batch_waits_for_its_limit() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    advance(lease, 1, settled(lease, 0))
    ledger.end_lease(lease, due_at=timezone.now() + timedelta(minutes=5))
    assert ledger.claim_batch(lease.route_id, campaign.pk, worker="w-2") is None
    assert_adds_up(campaign, Progress(accepted=1, pending=2))


def test_a_deferred_message_moves_to_a_new_batch_when_its_time_comes() -> None:
    campaign = make_sending(3)
    lease = claim(campaign)
    due = timezone.now() + timedelta(minutes=5)
    advance(lease, 3, [*settled(lease, 0, 2), *settled(lease, 1, outcome=DEFERRED, due_at=due)])
    ledger.end_lease(lease)
    assert_adds_up(campaign, Progress(accepted=2, deferred=1))
    assert (requeue_due(), finish_done_campaigns(now=timezone.now())) == (0, 0)
    Deferral.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert requeue_due() == 1
    assert_adds_up(campaign, Progress(accepted=2, pending=1))
    batch = Batch.objects.get(campaign_id=campaign.pk, attempt=2)
    second = ledger.claim_batch(batch.route_id, campaign.pk, worker="w-1")
    assert second is not None
    second.people = ledger.read_people(second, ledger.audience_of(campaign.pk))
    assert [person.contact_id for person in second.people] == [lease.people[1].contact_id]
    advance(second, 1, settled(second, 0))
    ledger.end_lease(second)
    assert_adds_up(campaign, Progress(accepted=3))
    assert finish_done_campaigns(now=timezone.now()) == 1


def test_a_reply_with_tabs_backslashes_and_nul_is_kept_readable() -> None:
    campaign = make_sending(1)
    lease = claim(campaign)
    advance(lease, 1, settled(lease, 0, outcome=DEFERRED, due_at=timezone.now()))
    assert OutcomeRow.objects.get(campaign_id=campaign.pk).reply == "Greylisted\ttry\\again\nlater "


def test_cancelling_ends_what_was_not_begun_and_what_waits() -> None:
    campaign = make_sending(4)
    lease = claim(campaign)
    due = timezone.now() + timedelta(hours=1)
    advance(lease, 2, [*settled(lease, 0), *settled(lease, 1, outcome=DEFERRED, due_at=due)])
    ledger.end_lease(lease)
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    settle_cancelled()
    assert_adds_up(campaign, Progress(accepted=1, cancelled=3))


def test_waiting_messages_of_an_expired_campaign_expire() -> None:
    campaign = make_sending(1)
    lease = claim(campaign)
    advance(lease, 1, settled(lease, 0, outcome=DEFERRED, due_at=timezone.now() + timedelta(hours=1)))
    ledger.end_lease(lease)
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now() - timedelta(hours=49))
    settle_cancelled()
    assert_adds_up(campaign, Progress(expired=1))


def test_who_unsubscribes_or_is_suppressed_after_the_freeze_is_not_mailable_at_claim() -> None:
    campaign = make_sending(4)
    alice, bob, carol, dave = Message.objects.filter(campaign_id=campaign.pk).order_by("position")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_subscription SET state = 'unsubscribed' WHERE contact_id = %s", [bob.contact_id]
        )
        cursor.execute(
            "INSERT INTO contacts_suppression (address_key, address, reason, source, evidence, lift_note)"
            " SELECT address_key, address, 'complaint', 'test', '{}', '' FROM contacts_contact WHERE id = %s",
            [carol.contact_id],
        )
        cursor.execute("DELETE FROM contacts_subscription WHERE contact_id = %s", [dave.contact_id])
        cursor.execute("DELETE FROM contacts_contact WHERE id = %s", [dave.contact_id])
    people = claim(campaign).people
    assert [(person.contact_id, person.mailable) for person in people] == [
        (alice.contact_id, True),
        (bob.contact_id, False),
        (carol.contact_id, False),
        (dave.contact_id, False),
    ]
    assert people[3].email == ""
    stopped = ledger.stopped_since([person.contact_id for person in people], ledger.audience_of(campaign.pk))
    assert stopped == {bob.contact_id, carol.contact_id}
