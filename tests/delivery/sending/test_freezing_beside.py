"""While the planner freezes one campaign, in a transaction as long as it may be, another one goes on."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services import launch_campaign
from delivery.models import Message
from delivery.outcomes import Outcome, Result
from delivery.progress import Progress, progress_of
from delivery.sending import ledger
from delivery.sending.lease import Settled
from delivery.services import planning
from delivery.services.finishing import finish_done_campaigns
from tests.delivery.factories import make_campaign, make_list, make_readers, make_sending, only_batch

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = Outcome(Result.ACCEPTED, 250, "2.0.0")


def send_all(campaign: Campaign) -> None:
    lease = ledger.claim_batch(only_batch(campaign).route_id, campaign.pk, worker="w-1")
    assert lease is not None
    people = ledger.read_people(lease, ledger.audience_of(campaign.pk))
    items = [Settled(person.position, person.contact_id, None, ACCEPTED) for person in people]
    ledger.advance(lease, lease.n_messages, items, refusals=lambda *_: None)
    ledger.end_lease(lease)


def plan() -> None:
    try:
        planning.plan_next_campaign(now=timezone.now())
    finally:
        connection.close()


def test_a_campaign_is_sent_while_another_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = make_sending(3)
    slow = make_campaign(make_list())
    make_readers(5, make_list())
    launch_campaign(slow.pk, now=timezone.now())
    written, go_on = threading.Event(), threading.Event()

    def wait(_: Campaign) -> None:
        written.set()
        assert go_on.wait(30)

    monkeypatch.setattr(planning, "_write_links", wait)

    planner = threading.Thread(target=plan)
    planner.start()
    try:
        assert written.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")  # whatever waits for the planner fails
        send_all(sending)
        assert finish_done_campaigns(now=timezone.now()) == 1
        assert progress_of(sending.pk) == Progress(accepted=3)
        # The frozen audience is not to be seen before all of it is there.
        assert not Message.objects.filter(campaign_id=slow.pk).exists()
    finally:
        go_on.set()
        planner.join()
        connection.close()
    assert Message.objects.filter(campaign_id=slow.pk).count() == 8
