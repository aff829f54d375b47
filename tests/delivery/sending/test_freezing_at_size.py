"""A freeze of a hundred thousand: pause and cancel take effect at once, and everybody else goes on beside it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Contact, MailingList, Suppression
from contacts.services import unsubscribe_contact
from delivery.models import Batch, Message, RecipientSite
from delivery.partitions import CAMPAIGNS_PER_PARTITION
from delivery.progress import Progress, progress_of
from delivery.services import planning
from delivery.services.dispatch import routes_to_drain
from delivery.services.finishing import finish_done_campaigns, settle_cancelled
from tests.contacts.imports.test_pipeline import counts, import_text
from tests.delivery.factories import make_contact, make_list, make_preparing, make_readers, subscribe
from tests.delivery.sending.test_drain import drain, route_to
from tests.delivery.smtp.scripted import ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

N = 100_000
PEOPLE = """
WITH people AS (
    INSERT INTO contacts_contact (uuid, email, address, address_key, domain, first_name, last_name, phone, country,
        city, locale, timezone, fields)
    SELECT gen_random_uuid(), a, a, md5(a)::uuid, d, '', '', '', '', '', 'en', '', '{}'
    FROM (SELECT 'crowd' || i || '@crowd' || i %% 7 || '.example' AS a, 'crowd' || i %% 7 || '.example' AS d
        FROM generate_series(1, %s) i) x
    RETURNING id
)
INSERT INTO contacts_subscription (contact_id, mailing_list_id, state, source)
SELECT id, %s, 'confirmed', 'test' FROM people
"""


class Freeze:
    """A planner in a thread of its own whose transaction stays open after its last row was written."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._written, self._go_on = threading.Event(), threading.Event()
        self._holder: threading.Thread | None = None
        write_links = planning._write_links

        def wait(campaign: Campaign) -> None:
            write_links(campaign)
            if threading.current_thread() is self._holder:
                self._written.set()
                assert self._go_on.wait(60)

        patch.setattr(planning, "_write_links", wait)

    def begin(self) -> None:
        """The first prepared campaign is written, and not committed."""
        self._written.clear()
        self._go_on.clear()
        self._holder = threading.Thread(target=self._plan)
        self._holder.start()
        assert self._written.wait(60)

    def end(self) -> None:
        """The planner gets to its end."""
        self._go_on.set()
        if self._holder is not None:
            self._holder.join()

    def _plan(self) -> None:
        try:
            planning.plan_next_campaign(now=timezone.now())
        finally:
            connection.close()


@pytest.fixture
def freeze(monkeypatch: pytest.MonkeyPatch) -> Iterator[Freeze]:
    made = Freeze(monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")  # whatever waits for the planner for longer fails
    yield made
    made.end()
    connection.close()


def make_crowd(n: int) -> MailingList:
    mailing_list = make_list(name="Crowd")
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [n, mailing_list.pk])
        cursor.execute("SELECT pg_stat_force_next_flush()")  # at the next commit, not within a second or ten
    return mailing_list


def press(button: str, campaign: Campaign) -> str:
    """The page's button; returns the campaign's state right after the answer."""
    client = Client()
    user, _ = User.objects.get_or_create(username="olga", is_staff=True, is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse(f"admin:campaigns_campaign_{button}", args=[campaign.pk])).status_code == 302
    campaign.refresh_from_db()
    return campaign.state


def assert_nothing_was_planned(campaign: Campaign) -> None:
    assert not Batch.objects.filter(campaign_id=campaign.pk).exists()
    assert not Message.objects.filter(campaign_id=campaign.pk).exists()


def test_pause_and_cancel_in_mid_freeze_take_effect_at_once_and_mail_nobody(redis: Redis, freeze: Freeze) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_preparing(make_crowd(N))
        freeze.begin()
        assert press("pause", campaign) == "paused"
        freeze.end()
        assert_nothing_was_planned(campaign)
        assert planning.plan_next_campaign(now=timezone.now()) is None

        assert press("resume", campaign) == "preparing"
        freeze.begin()
        assert press("cancel", campaign) == "cancelled"
        freeze.end()
        assert_nothing_was_planned(campaign)
        assert routes_to_drain(now=timezone.now()) == {}
        drain(route, redis)
    assert server.received == []
    campaign.refresh_from_db()
    assert campaign.state == "cancelled"


def test_frozen_or_not_twenty_thousand_are_paused_and_cancelled_with_one_press(redis: Redis, freeze: Freeze) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_preparing(make_crowd(20_000))
        freeze.begin()
        assert (press("pause", campaign), press("resume", campaign)) == ("paused", "preparing")
        freeze.end()  # the same audience still: it is frozen once
        assert progress_of(campaign.pk) == Progress(pending=20_000)
        assert press("pause", campaign) == "paused"
        assert routes_to_drain(now=timezone.now()) == {}
        drain(route, redis)
        assert press("cancel", campaign) == "cancelled"
        drain(route, redis)
        settle_cancelled()
    assert server.received == []
    assert progress_of(campaign.pk) == Progress(cancelled=20_000)


@pytest.fixture
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.mark.usefixtures("_media")
def test_others_are_frozen_sent_imported_and_let_go_while_a_freeze_is_open(redis: Redis, freeze: Freeze) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        crowd = make_crowd(2_000)
        subscribe(make_contact("abuse@crowd1.example"), crowd)  # a role account
        big = make_preparing(crowd)
        freeze.begin()

        small_list = make_list(name="Small")
        make_readers(30, small_list, domain="crowd1.example")  # whose site the open freeze names too
        subscribe(make_contact("abuse@crowd2.example"), small_list)
        small = make_preparing(small_list, pk=big.pk + CAMPAIGNS_PER_PARTITION)  # needs partitions of its own
        planned = planning.plan_next_campaign(now=timezone.now())
        assert planned == planning.Planned(small.pk, 30)
        drain(route, redis)
        assert finish_done_campaigns(now=timezone.now()) == 1
        assert progress_of(small.pk) == Progress(accepted=30)

        job = import_text("Email\nnew@crowd1.example\ncrowd1@crowd1.example\n", {0: "email"}, small_list, attested=True)
        assert counts(job) == {"rows": 2, "created": 1, "unchanged": 1, "subscribed": 2}
        leaver = Contact.objects.get(address="crowd8@crowd1.example")
        gone = unsubscribe_contact(
            leaver.pk,
            list_ids=[crowd.pk],
            source="page",
            occurred_at=timezone.now(),
            evidence={},
            now=timezone.now(),
        )
        assert gone
        assert set(Suppression.objects.values_list("reason", flat=True)) == {"role"}
        freeze.end()
    assert progress_of(big.pk) == Progress(pending=2_000)
    got = Counter(message.recipient.decode().partition("@")[2] for message in server.received)
    assert got == {"crowd1.example": 30}
    assert RecipientSite.objects.filter(domain__startswith="crowd").count() == 7
