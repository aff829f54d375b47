"""Uncertain messages: settled by a later event or by a person, on record, and never sent twice by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from campaigns.models import Campaign
from delivery.events import NewEvent, append_events, event_key
from delivery.models import OutcomeRow, Resolution
from delivery.partitions import ensure_event_partitions
from delivery.progress import Progress, progress_of
from delivery.recipients import log_of
from delivery.sending.ledger import end_lease
from delivery.services.finishing import finish_done_campaigns
from delivery.services.requeueing import requeue_due
from delivery.services.sweeping import sweep_dead_leases
from delivery.services.uncertain import (
    CannotSendAgain,
    accept_by_events,
    accept_uncertain,
    send_uncertain_again,
)
from tests.delivery.factories import make_sending
from tests.delivery.ledger_steps import advance, assert_adds_up, claim, claim_attempt, expire_lease, settled

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return User.objects.create_superuser("olga", "olga@example.com", "x")


def uncertain_campaign(n: int = 3, *, accepted: int = 0) -> tuple[Campaign, list[int]]:
    """A finished campaign whose worker died; and the contacts of its uncertain messages."""
    campaign = make_sending(n)
    lease = claim(campaign)
    advance(lease, n, settled(lease, *range(accepted)))
    expire_lease(campaign)
    assert sweep_dead_leases() == n - accepted
    assert finish_done_campaigns(now=timezone.now()) == 1
    campaign.refresh_from_db()
    return campaign, [person.contact_id for person in lease.people[accepted:]]


def happened(campaign: Campaign, contact_id: int, kind: str, verdict: str = "", **details: str) -> None:
    now = timezone.now()
    ensure_event_partitions(now)
    key = event_key("test", campaign.pk, contact_id, kind, verdict)
    event = NewEvent(
        kind=kind,
        event_key=key,
        occurred_at=now,
        campaign_id=campaign.pk,
        contact_id=contact_id,
        verdict=verdict,
        details=dict(details),
    )
    append_events([event], now=now)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("delivered", ""),
        ("bounced", ""),
        ("complained", ""),
        ("opened", "human"),
        ("clicked", "human"),
        ("clicked", "unknown"),
        ("unsubscribed", "human"),
        ("auto_replied", ""),
    ],
)
def test_a_later_event_shows_that_it_arrived(kind: str, verdict: str) -> None:
    campaign, (alice, _bob) = uncertain_campaign(2)
    happened(campaign, alice, kind, verdict)
    assert accept_by_events(now=timezone.now()) == 1
    assert_adds_up(campaign, Progress(accepted=1, uncertain=1))
    line = Resolution.objects.get()
    assert (line.contact_id, line.verdict, line.source, line.said_by) == (alice, "accepted", "event", kind)
    assert accept_by_events(now=timezone.now()) == 0


@pytest.mark.parametrize(
    ("kind", "verdict", "stage"),
    [("opened", "machine", ""), ("clicked", "machine", ""), ("unknown", "", ""), ("bounced", "", "smtp")],
)
def test_what_a_machine_did_or_a_refusal_shows_nothing(kind: str, verdict: str, stage: str) -> None:
    campaign, (alice,) = uncertain_campaign(1)
    happened(campaign, alice, kind, verdict, stage=stage)
    assert accept_by_events(now=timezone.now()) == 0
    assert_adds_up(campaign, Progress(uncertain=1))


def test_an_event_of_another_campaign_settles_nothing() -> None:
    campaign, (alice,) = uncertain_campaign(1)
    other = make_sending(0)
    happened(other, alice, "clicked", "human")
    assert accept_by_events(now=timezone.now()) == 0
    assert_adds_up(campaign, Progress(uncertain=1))


def test_a_person_counts_one_message_as_accepted_and_that_is_on_record(olga: User) -> None:
    campaign, (alice, bob) = uncertain_campaign(2)
    now = timezone.now()
    assert accept_uncertain(campaign.pk, contact_id=alice, by=olga, now=now) == 1
    assert_adds_up(campaign, Progress(accepted=1, uncertain=1))
    line = Resolution.objects.get()
    assert (line.contact_id, line.verdict, line.source, line.user, line.resolved_at) == (
        alice,
        "accepted",
        "person",
        olga,
        now,
    )
    assert [(entry.what, entry.note) for entry in log_of(campaign.pk, alice)][-1:] == [
        ("Counted as accepted", "decided by olga")
    ]
    assert not Resolution.objects.filter(contact_id=bob).exists()


def test_a_person_counts_all_as_accepted_and_the_second_click_changes_nothing(olga: User) -> None:
    campaign, _ = uncertain_campaign(5, accepted=2)
    assert accept_uncertain(campaign.pk, by=olga, now=timezone.now()) == 3
    assert accept_uncertain(campaign.pk, by=olga, now=timezone.now()) == 0
    assert_adds_up(campaign, Progress(accepted=5))
    assert Resolution.objects.count() == 3


def test_who_decided_is_known_after_the_account_is_gone(olga: User) -> None:
    campaign, _ = uncertain_campaign(1)
    accept_uncertain(campaign.pk, by=olga, now=timezone.now())
    olga.delete()
    line = Resolution.objects.get()
    assert (line.user, line.said_by) == (None, "olga")


def test_sending_again_reopens_the_campaign_and_only_uncertain_people_get_another_copy(olga: User) -> None:
    campaign, (bob, carol) = uncertain_campaign(3, accepted=1)
    assert send_uncertain_again(campaign.pk, by=olga, now=timezone.now()) == 2
    campaign.refresh_from_db()
    assert (campaign.state, campaign.finished_at) == ("sending", None)
    assert_adds_up(campaign, Progress(accepted=1, deferred=2))
    assert finish_done_campaigns(now=timezone.now()) == 0
    assert requeue_due() == 2
    lease = claim_attempt(campaign, 2)
    assert [person.contact_id for person in lease.people] == [bob, carol]
    advance(lease, 2, settled(lease, 0, 1))
    end_lease(lease)
    assert finish_done_campaigns(now=timezone.now()) == 1
    assert_adds_up(campaign, Progress(accepted=3))
    assert set(Resolution.objects.values_list("contact_id", "verdict", "said_by")) == {
        (bob, "sent_again", "olga"),
        (carol, "sent_again", "olga"),
    }


def test_sending_one_again_leaves_the_others_uncertain(olga: User) -> None:
    campaign, (alice, _bob) = uncertain_campaign(2)
    assert send_uncertain_again(campaign.pk, contact_id=alice, by=olga, now=timezone.now()) == 1
    assert_adds_up(campaign, Progress(deferred=1, uncertain=1))


def test_a_cancelled_campaign_sends_nothing_again(olga: User) -> None:
    campaign, _ = uncertain_campaign(2)
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    with pytest.raises(CannotSendAgain, match="cancelled"):
        send_uncertain_again(campaign.pk, by=olga, now=timezone.now())
    assert_adds_up(campaign, Progress(uncertain=2))
    assert not Resolution.objects.exists()


def test_what_is_no_longer_worth_sending_is_not_sent_again(olga: User) -> None:
    campaign, _ = uncertain_campaign(1)
    assert campaign.launched_at is not None
    later = campaign.launched_at + timedelta(hours=48)
    with pytest.raises(CannotSendAgain, match="48 hours"):
        send_uncertain_again(campaign.pk, by=olga, now=later)
    assert_adds_up(campaign, Progress(uncertain=1))


def test_an_event_that_comes_before_the_decision_wins(olga: User) -> None:
    campaign, (alice,) = uncertain_campaign(1)
    happened(campaign, alice, "clicked", "human")
    accept_by_events(now=timezone.now())
    assert send_uncertain_again(campaign.pk, by=olga, now=timezone.now()) == 0
    campaign.refresh_from_db()
    assert campaign.state == "finished"
    assert progress_of(campaign.pk) == Progress(accepted=1)


def test_the_words_of_the_worker_stay_on_record(olga: User) -> None:
    campaign, (alice,) = uncertain_campaign(1)
    accept_uncertain(campaign.pk, by=olga, now=timezone.now())
    assert OutcomeRow.objects.get(contact_id=alice).reply.startswith("The worker w-1 died")
