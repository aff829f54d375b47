"""Who a campaign reaches, and who it does not: the one SQL text behind the page and the planner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection

from campaigns.funnel import Funnel
from campaigns.models import Campaign
from campaigns.queries import audience_params, audience_rule, audience_sql, count_audience
from contacts.models import Contact, MailingList
from tests.campaigns.factories import NOW, make_campaign, suppress
from tests.contacts.factories import make_brand, make_contact, make_list, subscribe

pytestmark = pytest.mark.django_db


def verdicts(campaign: Campaign) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(audience_sql(), audience_params(audience_rule(campaign), now=NOW))
        found = {contact_id: verdict for contact_id, _, verdict in cursor.fetchall()}
    people = Contact.objects.filter(pk__in=found).values_list("pk", "address")
    return {address.partition("@")[0]: found[pk] for pk, address in people}


def join(name: str, *lists: MailingList, state: str = "confirmed") -> Contact:
    contact = make_contact(f"{name}@example.com")
    for mailing_list in lists:
        subscribe(contact, mailing_list, state)
    return contact


def reached(*lists: MailingList, exclude: Iterable[MailingList] = ()) -> dict[str, str]:
    return verdicts(make_campaign(*lists, exclude=exclude))


def test_alice_gets_it_and_bob_carol_dave_and_erin_do_not() -> None:
    news = make_list()
    join("alice", news)
    join("bob", news, state="unconfirmed")
    join("carol", news, state="unsubscribed")
    suppress(join("dave", news), reason="manual")
    suppress(join("erin", news), reason="hard_bounce")
    join("frank", make_list(news.brand, "Another"))

    assert reached(news) == {
        "alice": "included",
        "bob": "unconfirmed",
        "carol": "unsubscribed",
        "dave": "suppressed",
        "erin": "suppressed",
    }


def test_being_confirmed_on_one_list_is_enough() -> None:
    news, shop = make_list(), make_list(make_brand("Shop"), "Shop")
    alice = join("alice", news)
    subscribe(alice, shop, "unsubscribed")

    assert reached(news, shop) == {"alice": "included"}


def test_unsubscribed_is_said_before_unconfirmed() -> None:
    news = make_list()
    bob = join("bob", news, state="unconfirmed")
    other = make_list(news.brand, "Other")
    subscribe(bob, other, "unsubscribed")

    assert reached(news, other) == {"bob": "unsubscribed"}


@pytest.mark.parametrize(
    ("state", "verdict"), [("confirmed", "excluded"), ("unconfirmed", "excluded"), ("unsubscribed", "included")]
)
def test_who_is_on_a_list_left_out_gets_nothing_unless_he_left_that_list(state: str, verdict: str) -> None:
    news = make_list()
    vip = make_list(news.brand, "VIP")
    subscribe(join("alice", news), vip, state)

    assert reached(news, exclude=[vip]) == {"alice": verdict}


def test_excluded_is_said_before_suppressed() -> None:
    news = make_list()
    vip = make_list(news.brand, "VIP")
    suppress(join("alice", news, vip))

    assert reached(news, exclude=[vip]) == {"alice": "excluded"}


def test_a_suppression_of_another_brand_does_not_count() -> None:
    news = make_list()
    suppress(join("alice", news), brand=make_brand("Sister"))
    suppress(join("dave", news), brand=news.brand)

    assert reached(news) == {"alice": "included", "dave": "suppressed"}


def test_a_suppression_for_one_list_counts_only_where_no_other_list_reaches_the_person() -> None:
    news = make_list()
    shop, other = make_list(news.brand, "Shop"), make_list(news.brand, "Other")
    suppress(join("alice", news, shop), mailing_list=news)
    suppress(join("dave", news), mailing_list=news)
    suppress(join("frank", news), mailing_list=other)
    erin = join("erin", news, shop)
    suppress(erin, mailing_list=news)
    suppress(erin, mailing_list=shop)

    assert reached(news, shop) == {
        "alice": "included",
        "dave": "suppressed",
        "frank": "included",
        "erin": "suppressed",
    }


def test_expired_and_lifted_suppressions_do_not_count() -> None:
    news = make_list()
    suppress(join("alice", news), expires_at=NOW)
    suppress(join("bob", news), lifted_at=NOW - timedelta(days=1))
    suppress(join("dave", news), expires_at=NOW + timedelta(seconds=1))

    assert reached(news) == {"alice": "included", "bob": "included", "dave": "suppressed"}


def test_several_suppressions_of_one_person_count_once() -> None:
    news = make_list()
    dave = join("dave", news)
    suppress(dave)
    suppress(dave, brand=news.brand)
    suppress(dave, mailing_list=news)

    assert count_audience(audience_rule(make_campaign(news)), now=NOW) == Funnel(n_matched=1, n_suppressed=1)


def test_the_funnel_counts_each_person_once() -> None:
    news = make_list()
    shop, vip = make_list(news.brand, "Shop"), make_list(news.brand, "VIP")
    join("alice", news, shop)
    join("bob", news, state="unconfirmed")
    join("carol", news, shop, state="unsubscribed")
    suppress(join("dave", shop))
    join("erin", news, vip)
    campaign = make_campaign(news, shop, exclude=[vip])

    assert count_audience(audience_rule(campaign), now=NOW) == Funnel(
        n_matched=7, n_duplicates=2, n_unsubscribed=1, n_unconfirmed=1, n_excluded=1, n_suppressed=1, n_total=1
    )


def test_no_list_reaches_nobody() -> None:
    assert count_audience(audience_rule(make_campaign()), now=NOW) == Funnel()
