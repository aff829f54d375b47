"""The brake on real drains: who is not mailed any more, what people read, and what a deliberate resume forgives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from campaigns.services import pause_campaign, resume_campaign
from contacts.models import Brand, Contact
from delivery.events import NewEvent, append_events, event_key
from delivery.inbound.taxonomy import BLOCKS
from delivery.models import Batch, Brake, Braking, Deferral
from delivery.progress import progress_of
from delivery.queries import BLOCKING, RESULTS
from delivery.services.braking import brake_campaigns, brake_of
from tests.delivery.factories import make_brand, make_sending
from tests.delivery.sending.test_drain import drain, recipients, route_to
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "550 5.1.1 user unknown"
BLOCKED = "550 5.7.1 blocked: your address 192.0.2.1 is on our list"


def brake() -> list[int]:
    return brake_campaigns(now=timezone.now())


def strict(brand: Brand | None = None, **limits: Any) -> Brake:
    thresholds = {"least": 10, "least_complained": 2, **limits}
    return Brake.objects.update_or_create(brand=brand, defaults=thresholds)[0]


def cut_in_batches(campaign: Campaign, size: int) -> None:
    """As the planner does, but smaller, so that a pause finds batches that are not begun."""
    whole = Batch.objects.get(campaign_id=campaign.pk)
    with connection.cursor() as cursor:
        for start in range(size, whole.n_messages, size):
            n = min(size, whole.n_messages - start)
            later = timezone.now() + timedelta(hours=1)
            new = Batch.objects.create(campaign_id=campaign.pk, route=whole.route, n_messages=n, due_at=later)
            cursor.execute(
                "UPDATE delivery_message SET batch_id = %s, position = position - %s"
                " WHERE campaign_id = %s AND batch_id = %s AND position >= %s AND position < %s",
                [new.pk, start, campaign.pk, whole.pk, start, start + n],
            )
    Batch.objects.filter(pk=whole.pk).update(n_messages=size)


def make_due(campaign: Campaign) -> None:
    Batch.objects.filter(campaign_id=campaign.pk).update(due_at=timezone.now() - timedelta(minutes=1))


def complain(campaign: Campaign, contacts: list[Contact]) -> None:
    now = timezone.now()
    append_events(
        [
            NewEvent(kind="complained", event_key=event_key("test", contact.pk), occurred_at=now,
                     campaign_id=campaign.pk, contact_id=contact.pk)
            for contact in contacts
        ],
        now=now,
    )  # fmt: skip


def test_bounces_over_the_threshold_pause_and_the_rest_is_not_mailed(redis: Redis) -> None:
    strict()
    with in_thread(ScriptedServer(On("RCPT", reply=UNKNOWN, times=3))) as server:
        route = route_to(server)
        campaign = make_sending(60, route=route)
        cut_in_batches(campaign, 20)
        drain(route, redis)
        assert brake() == [campaign.pk]
        campaign.refresh_from_db()
        assert campaign.state == "paused"
        assert campaign.state_reason == (
            "The brake stopped this campaign. 3 of 20 messages (15.0%) bounced: their addresses do not exist;"
            " the limit is 2.0%. For example: 550 user unknown"
        )
        make_due(campaign)
        drain(route, redis)
        assert brake() == []
    first = Contact.objects.order_by("pk")[3:20]
    assert set(recipients(server)) == {contact.email for contact in first}
    progress = progress_of(campaign.pk)
    assert (progress.accepted, progress.refused, progress.pending) == (17, 3, 40)


def test_who_resumes_is_not_stopped_again_for_the_same_facts_but_for_new_ones(redis: Redis) -> None:
    strict()
    with in_thread(ScriptedServer(On("RCPT", reply=UNKNOWN, times=3))) as server:
        route = route_to(server)
        campaign = make_sending(60, route=route)
        cut_in_batches(campaign, 20)
        drain(route, redis)
        assert brake() == [campaign.pk]
        assert resume_campaign(campaign.pk, now=timezone.now())
        assert [brake(), brake()] == [[], []]
        braking = Braking.objects.get()
        assert braking.released_at is not None
        assert (braking.n_sent, braking.n_bounced) == (20, 3)

        Batch.objects.filter(campaign_id=campaign.pk, state="pending").order_by("pk").update(
            due_at=timezone.now() + timedelta(hours=1)
        )
        second = Batch.objects.filter(campaign_id=campaign.pk, state="pending").order_by("pk").first()
        assert second is not None
        Batch.objects.filter(pk=second.pk).update(due_at=timezone.now())
        server.rules.append(On("RCPT", reply=UNKNOWN, times=1))
        drain(route, redis)
        assert brake() == [campaign.pk]
    campaign.refresh_from_db()
    assert "Since it was resumed, 1 of 20 messages (5.0%) bounced" in campaign.state_reason
    assert progress_of(campaign.pk).pending == 20
    assert Braking.objects.count() == 2


def test_blocks_pause_whether_refused_or_put_off(redis: Redis) -> None:
    strict()
    with in_thread(
        ScriptedServer(
            On("RCPT", reply=BLOCKED, times=2), On("RCPT", reply="451 4.7.1 blocked by spam policy", times=3)
        )
    ) as server:
        route = route_to(server)
        campaign = make_sending(20, route=route)
        drain(route, redis)
        assert Deferral.objects.count() == 3
        assert brake() == [campaign.pk]
    campaign.refresh_from_db()
    assert "5 of 20 messages (25.0%) were blocked for reputation, content or policy" in campaign.state_reason
    assert Braking.objects.get().cause == "blocked"


def test_greylisting_and_slow_down_are_no_blocks(redis: Redis) -> None:
    strict()
    with in_thread(
        ScriptedServer(
            On("RCPT", reply="451 4.7.1 Greylisted, try again in 300 seconds", times=8),
            On("RCPT", reply="421 4.7.28 our system has detected an unusual rate of mail", times=1),
        )
    ) as server:
        route = route_to(server)
        campaign = make_sending(20, route=route)
        drain(route, redis, seconds=2)
    assert brake() == []
    campaign.refresh_from_db()
    assert campaign.state == "sending"


def test_complaints_count_people_and_pause(redis: Redis) -> None:
    strict()
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_sending(40, route=route)
        cut_in_batches(campaign, 20)
        drain(route, redis)
    one, two, *_ = Contact.objects.order_by("pk")
    complain(campaign, [one])
    assert brake() == []
    complain(campaign, [one, two])
    assert brake() == [campaign.pk]
    campaign.refresh_from_db()
    assert campaign.state_reason == (
        "The brake stopped this campaign. 2 of 20 messages (10.0%) were marked as spam; the limit is 0.3%."
    )


def test_thresholds_are_the_brands_else_those_of_all_and_can_be_off(redis: Redis) -> None:
    strict(bounced=50)
    own = strict(brand=make_brand(), bounced=5)
    with in_thread(ScriptedServer(On("RCPT", reply=UNKNOWN, times=3))) as server:
        route = route_to(server)
        campaign = make_sending(40, route=route)
        cut_in_batches(campaign, 20)
        drain(route, redis)
    Brake.objects.filter(pk=own.pk).update(enabled=False)
    assert brake() == []
    Brake.objects.filter(pk=own.pk).update(brand=make_brand("Beta"), enabled=True)
    assert brake() == []
    Brake.objects.filter(pk=own.pk).update(brand=make_brand())
    assert brake() == [campaign.pk]


def test_what_the_brake_reads_does_not_grow_with_messages(redis: Redis) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            brake()
        return len(captured)

    make_sending(3)
    few = queries()
    assert few == queries()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            cursor.execute("EXPLAIN " + RESULTS.format(blocks=BLOCKING), {"campaign": 1, "blocks": list(BLOCKS)})
            plan = "\n".join(row[0] for row in cursor.fetchall())
        finally:
            cursor.execute("RESET enable_seqscan")
    assert "deferrals_that_block" in plan


def test_a_braked_campaign_is_resumed_from_the_page_that_says_why(client: Client, redis: Redis) -> None:
    strict()
    client.force_login(
        User.objects.create_superuser("mary", "mary@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    with in_thread(ScriptedServer(On("RCPT", reply=UNKNOWN, times=3))) as server:
        route = route_to(server)
        campaign = make_sending(40, route=route)
        cut_in_batches(campaign, 20)
        drain(route, redis)
    brake()
    address = f"/admin/campaigns/campaign/{campaign.pk}/resume/"
    page = client.post(address, follow=True).content.decode()
    assert "Please read why the brake stopped this campaign" in page
    assert "3 of 20 messages (15.0%) bounced" in page
    assert "Where do these addresses come from?" in page
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert brake_of(campaign.pk) is not None

    client.post(address, {"read": "1"})
    campaign.refresh_from_db()
    assert campaign.state == "sending"
    assert brake() == []
    assert brake_of(campaign.pk) is None

    assert pause_campaign(campaign.pk, reason="Paused by mary.", now=timezone.now())
    client.post(address)
    campaign.refresh_from_db()
    assert campaign.state == "sending"
