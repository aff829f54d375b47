"""What an answer does to an address: at once, after many, for whom, and what never does anything."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from campaigns.models import Campaign
from contacts.models import Contact, MailingList, Subscription, Suppression, SuppressionPolicy
from contacts.services import lift_suppression, suppress_role_accounts
from delivery.events import NewEvent, append_events
from delivery.inbound.classify import Reply, Verdict, classify
from delivery.inbound.report import Stage
from delivery.inbound.taxonomy import Category
from delivery.models import SoftBounce
from delivery.services.consequences import apply_consequence, forget_old_soft_bounces
from delivery.tracking.tokens import MessageRef
from tests.delivery.factories import NOW, make_brand, make_contact, make_list

pytestmark = pytest.mark.django_db

GONE = classify(Reply(550, "5.1.1", "user unknown", stage=Stage.RCPT))
FULL = classify(Reply(552, "5.2.2", "mailbox full", stage=Stage.RCPT))
BLOCKED = classify(Reply(550, "5.7.1", "message rejected", stage=Stage.RCPT))
SPAM = Verdict(Category.COMPLAINT, "", "arf", 1)
LEFT = Verdict(Category.UNSUBSCRIBED, "", "provider", 1)


def make_campaign(mailing_list: MailingList, day: int = 0) -> Campaign:
    campaign = Campaign.objects.create(
        brand=mailing_list.brand, name=f"Day {day}", launched_at=NOW + timedelta(days=day)
    )
    campaign.send_to.add(mailing_list)
    return campaign


def answer(contact: Contact, campaign: Campaign, verdict: Verdict, day: float = 0, source: str = "webhook") -> bool:
    ref = MessageRef(campaign.pk, contact.pk)
    return apply_consequence(
        ref, verdict, source=source, evidence={"words": "as told"}, account_id=7, now=NOW + timedelta(days=day)
    )


def bounce_softly(contact: Contact, mailing_list: MailingList, *days: int) -> list[bool]:
    return [answer(contact, make_campaign(mailing_list, day), FULL, day) for day in days]


def happened(kind: str, contact: Contact, campaign: Campaign, day: float, **more: Any) -> None:
    event = NewEvent(
        kind, uuid.uuid4(), NOW + timedelta(days=day), campaign_id=campaign.pk, contact_id=contact.pk, **more
    )
    append_events([event], now=NOW)


def set_policy(**values: Any) -> None:
    SuppressionPolicy.objects.update_or_create(brand=values.pop("brand", None), defaults=values)


def scopes() -> list[tuple[str, str, str | None, str | None]]:
    rows = Suppression.objects.order_by("pk")
    return list(rows.values_list("address", "reason", "brand__name", "mailing_list__name"))


def test_a_dead_address_gets_no_more_mail_at_once_with_what_was_said() -> None:
    dead, other, news = make_contact("dead@example.org"), make_contact(), make_list()
    campaign = make_campaign(news)
    assert answer(dead, campaign, GONE)
    assert not answer(dead, campaign, GONE)
    found = Suppression.objects.get()
    assert (found.address, found.reason, found.source, found.expires_at) == (
        "dead@example.org",
        "hard_bounce",
        "webhook",
        None,
    )
    assert found.evidence == {
        "campaign": campaign.pk,
        "account": 7,
        "rule": GONE.rule_id,
        "rules_version": GONE.rules_version,
        "words": "as told",
    }
    assert not Suppression.objects.filter(address_key=other.address_key).exists()


@pytest.mark.parametrize("category", [Category.POLICY, Category.SPAM_BLOCK, Category.AUTH_FAILED, Category.GREYLIST])
def test_a_block_says_nothing_about_the_address(category: Category) -> None:
    blocked, news = make_contact(), make_list()
    assert not answer(blocked, make_campaign(news), Verdict(category, "block", "x", 1))
    assert not answer(blocked, make_campaign(news), BLOCKED)
    assert (Suppression.objects.count(), SoftBounce.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("everywhere", ("a@example.org", "complaint", None, None)),
        ("brand", ("a@example.org", "complaint", "Acme", None)),
        ("list", ("a@example.org", "complaint", None, "News")),
    ],
)
def test_a_complaint_counts_at_once_and_where_the_policy_says(
    scope: str, expected: tuple[str, str, str | None, str | None]
) -> None:
    set_policy(complaint_scope=scope)
    assert answer(make_contact("a@example.org"), make_campaign(make_list()), SPAM, source="arf")
    assert scopes() == [expected]


def test_a_brands_own_policy_goes_before_the_one_for_all() -> None:
    set_policy(hard_scope="everywhere")
    set_policy(brand=make_brand("Beta"), hard_scope="brand")
    contact = make_contact("a@example.org")
    assert answer(contact, make_campaign(make_list(make_brand("Beta"))), GONE)
    assert answer(contact, make_campaign(make_list()), GONE)
    assert scopes() == [("a@example.org", "hard_bounce", "Beta", None), ("a@example.org", "hard_bounce", None, None)]


def test_five_soft_bounces_over_two_weeks_suppress_for_ninety_days() -> None:
    full, news = make_contact(), make_list()
    assert bounce_softly(full, news, 0, 7, 14, 21, 28) == [False, False, False, False, True]
    found = Suppression.objects.get()
    assert (found.reason, found.expires_at) == ("soft_bounce", NOW + timedelta(days=28 + 90))
    assert found.evidence["n_soft_bounces"] == 5
    assert found.evidence["first"] == NOW.isoformat()


def test_several_reports_on_one_message_are_one_soft_bounce() -> None:
    full, news = make_contact(), make_list()
    campaign = make_campaign(news)
    assert [answer(full, campaign, FULL, day) for day in (0, 7, 14, 21, 28)] == [False] * 5
    assert SoftBounce.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "verdict", "suppressed"),
    [
        ("delivered", "", False),
        ("opened", "human", False),
        ("clicked", "human", False),
        ("opened", "machine", True),
        ("deferred", "", True),
    ],
)
def test_a_sign_of_life_begins_the_count_anew(kind: str, verdict: str, suppressed: bool) -> None:
    alive, news = make_contact(), make_list()
    bounce_softly(alive, news, 0, 7, 14, 21)
    happened(kind, alive, make_campaign(news, 22), 22, verdict=verdict)
    assert bounce_softly(alive, news, 28) == [suppressed]


def test_what_another_person_does_is_no_sign_of_life() -> None:
    full, other, news = make_contact(), make_contact(), make_list()
    bounce_softly(full, news, 0, 7, 14, 21)
    happened("clicked", other, make_campaign(news, 22), 22, verdict="human")
    assert bounce_softly(full, news, 28) == [True]


def test_after_a_person_lifts_it_counting_begins_anew(admin_user: Any) -> None:
    full, news = make_contact(), make_list()
    bounce_softly(full, news, 0, 7, 14, 21, 28)
    lift_suppression(Suppression.objects.get().pk, by=admin_user, note="wrote to us", now=NOW + timedelta(days=29))
    assert bounce_softly(full, news, 35, 42, 49, 56) == [False] * 4
    assert bounce_softly(full, news, 63) == [True]


def test_a_provider_that_tells_of_an_unsubscribe_takes_the_person_off_the_lists() -> None:
    leaver, news = make_contact(), make_list()
    Subscription.objects.create(contact=leaver, mailing_list=news, state="confirmed", consent_at=NOW)
    assert answer(leaver, make_campaign(news), LEFT)
    assert Subscription.objects.get().state == "unsubscribed"
    assert Suppression.objects.count() == 0


def test_an_erased_contact_and_an_unknown_campaign_break_nothing() -> None:
    erased = make_contact()
    ref = MessageRef(10**9, erased.pk)
    assert apply_consequence(ref, GONE, source="dsn", evidence={}, now=NOW)
    assert not apply_consequence(MessageRef(10**9, 10**9), GONE, source="dsn", evidence={}, now=NOW)
    assert scopes() == [(erased.address, "hard_bounce", None, None)]


def test_soft_bounces_are_forgotten_after_two_years() -> None:
    full, news = make_contact(), make_list()
    bounce_softly(full, news, 0, 7)
    assert forget_old_soft_bounces(now=NOW + timedelta(days=731)) == 1


def test_role_accounts_are_suppressed_but_people_and_lifted_ones_are_not(admin_user: Any) -> None:
    brand = make_brand()
    for email in ("abuse@example.org", "abuse+x@example.org", "abuser@example.org", "info@example.org"):
        make_contact(email)
    assert suppress_role_accounts(brand.pk, now=NOW) == 2
    assert suppress_role_accounts(brand.pk, now=NOW) == 0
    assert scopes() == [
        (address, "role", None, None)
        for address in Suppression.objects.order_by("pk").values_list("address", flat=True)
        if address in {"abuse@example.org", "abuse+x@example.org"}
    ]
    lifted = Suppression.objects.get(address="abuse@example.org")
    lift_suppression(lifted.pk, by=admin_user, note="they asked for it", now=NOW)
    assert suppress_role_accounts(brand.pk, now=NOW) == 0


def test_a_policy_names_its_own_role_accounts() -> None:
    set_policy(role_names="Info\n\nsales@")
    for email in ("abuse@example.org", "info@example.org", "sales@example.org"):
        make_contact(email)
    assert suppress_role_accounts(make_brand().pk, now=NOW) == 2
    assert sorted(row[0] for row in scopes()) == ["info@example.org", "sales@example.org"]
