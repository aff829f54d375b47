"""Servers' words in webhook calls and returned mail are held against the shaping rules: once, fresh ones, revocably."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import Event, ProviderAccount, Receipt, RecipientSite, ShapingMeasure, ShapingRule
from delivery.services.receiving import process_receipts, read_again, store_mail
from delivery.tracking.tokens import TokenMaker, mail_form
from tests.delivery.inbound.mails import dsn
from tests.delivery.receipts import hook_account, mid_of, receive, sent_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

WORDS = "421 4.7.0 [TSS04] Messages from 192.0.2.1 deferred"


@pytest.fixture(autouse=True)
def _two_rules() -> None:
    """Two such words within an hour suspend the way to yahoo, one blocked word the way to anybody."""
    ShapingRule.objects.all().delete()
    ShapingRule.objects.create(
        key="ts04", pattern=r"\[TSS04\]", sites=["yahoo"], n_per_hour=2, suspend=True, reach="path", minutes=120
    )
    RecipientSite.objects.update_or_create(
        domain="example.org", defaults={"site": "yahoo", "resolved_at": timezone.now()}
    )


def sent(n: int = 1) -> tuple[ProviderAccount, Campaign, list[Contact]]:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account, n)
    return account, campaign, list(Contact.objects.order_by("pk"))


def deferred(campaign: Campaign, contact: Contact, event_id: str, at: datetime | None = None) -> dict[str, Any]:
    moment = at or datetime.now(UTC)
    return {
        "event": "deferred", "email": contact.email, "timestamp": int(moment.timestamp()), "sg_event_id": event_id,
        "mid": mid_of(campaign, contact), "response": WORDS,
    }  # fmt: skip


def test_the_threshold_of_a_rule_is_reached_by_a_providers_events(client: Client) -> None:
    account, campaign, (alice, bob) = sent(2)
    receive(account, [deferred(campaign, alice, "e1")])
    assert not ShapingMeasure.objects.exists()
    receive(account, [deferred(campaign, bob, "e2")])
    measure = ShapingMeasure.objects.get()
    assert (measure.rule, measure.action, measure.site) == ("ts04", "suspend", "yahoo")
    assert (measure.target, measure.account_id, measure.reply) == (f"path:{account.pk}::yahoo", account.pk, WORDS)
    boss = User.objects.create_superuser("olga", "olga@example.com", "x")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    assert "[TSS04]" in client.get("/admin/delivery/shapingmeasure/").content.decode()
    client.post(f"/admin/delivery/shapingmeasure/{measure.pk}/revoke/")
    measure.refresh_from_db()
    assert measure.revoked_at is not None


def test_a_replay_and_a_second_reading_are_not_heard_again() -> None:
    account, campaign, (alice,) = sent()
    call = [deferred(campaign, alice, "e1")]
    receive(account, call)
    receive(account, [*call, {"event": "processed", "sg_event_id": "other"}])  # the same event in another call
    assert read_again(Receipt.objects.all()) == 2
    process_receipts(now=datetime.now(UTC))
    assert Event.objects.filter(kind="deferred").count() == 1
    assert not ShapingMeasure.objects.exists()


def test_what_was_said_over_an_hour_ago_is_not_heard() -> None:
    account, campaign, people = sent(2)
    then = datetime.now(UTC) - timedelta(minutes=61)
    receive(account, [deferred(campaign, contact, f"e{contact.pk}", then) for contact in people])
    assert Event.objects.filter(kind="deferred").count() == 2
    assert not ShapingMeasure.objects.exists()


def test_a_returned_mail_is_heard_too() -> None:
    account, campaign, people = sent(2)
    for block in TokenMaker(settings.SECRET_KEY).blocks(campaign.pk, [contact.pk for contact in people]):
        path = f"b+{mail_form(block)}@bounce.example"
        raw = dsn("4.7.0", f"smtp; {WORDS}", action="delayed").replace(
            b"Subject:", b"X-N: %s\r\nSubject:" % path.encode(), 1
        )
        assert store_mail(raw, sender="", recipients=[path], source="pipe")
    process_receipts(now=datetime.now(UTC))
    assert Event.objects.filter(kind="deferred").count() == 2
    assert ShapingMeasure.objects.get().target == f"path:{account.pk}::yahoo"


def test_without_redis_no_event_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    account, campaign, (alice,) = sent()
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    receipt = receive(account, [deferred(campaign, alice, "e1")])
    assert (receipt.n_events, receipt.problem) == (1, "")
    assert Event.objects.filter(kind="deferred").count() == 1
