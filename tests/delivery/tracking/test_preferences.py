"""Leaving: RFC 8058, the page with one button, the preference page; what a scanner cannot do; outages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from lxml import html
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from campaigns.models import Campaign
from contacts.models import ConsentEvent, Contact, MailingList, Subscription, Suppression
from delivery.models import Event
from delivery.partitions import ensure_event_partitions
from delivery.services import leaving
from delivery.tracking import views
from tests.campaigns.views.reading import faults, texts
from tests.delivery.factories import make_brand, make_campaign, make_contact, make_list, subscribe

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
def _no_outage() -> Iterator[None]:
    ensure_event_partitions(datetime.now(UTC))
    views.database_outage().clear()
    yield
    views.database_outage().clear()


@pytest.fixture
def news() -> MailingList:
    return make_list()


@pytest.fixture
def campaign(news: MailingList) -> Campaign:
    return make_campaign(news, state="sending", launched_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def alice(news: MailingList) -> Contact:
    contact = make_contact("alice@example.org")
    subscribe(contact, news)
    subscribe(contact, make_list(name="Offers"))
    return contact


def address(campaign: Campaign, contact: Contact, page: str = "u") -> str:
    return f"/{page}/{views.tokens().make(campaign.pk, contact.pk)}"


def states(contact: Contact) -> dict[str, str]:
    return dict(Subscription.objects.filter(contact=contact).values_list("mailing_list__name", "state"))


def nothing_happened(contact: Contact) -> bool:
    left = Event.objects.exists() or Suppression.objects.exists() or ConsentEvent.objects.exists()
    return not left and set(states(contact).values()) == {"confirmed"}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_takes_effect_without_cookie_login_or_redirect(
    campaign: Campaign, alice: Contact, content_type: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    if content_type.startswith("multipart"):
        answer = client.post(address(campaign, alice), ONE_CLICK)
    else:
        answer = client.post(address(campaign, alice), "List-Unsubscribe=One-Click", content_type=content_type)
    assert (answer.status_code, answer.content, answer.cookies) == (200, b"Unsubscribed.", {})
    assert states(alice) == {"News": "unsubscribed", "Offers": "confirmed"}
    assert Event.objects.get().details == {"source": "one-click", "reason": "", "everything": False, "why": ""}
    assert not Suppression.objects.exists()


def test_the_same_one_click_again_is_answered_the_same_and_changes_nothing(campaign: Campaign, alice: Contact) -> None:
    answers = [Client().post(address(campaign, alice), ONE_CLICK) for _ in range(3)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"Unsubscribed.")}
    assert Event.objects.count() == 1
    assert ConsentEvent.objects.count() == 1
    assert states(alice) == {"News": "unsubscribed", "Offers": "confirmed"}


def test_leaving_everything_again_changes_nothing_either(campaign: Campaign, alice: Contact) -> None:
    for _ in range(3):
        assert Client().post(address(campaign, alice), {"scope": "everything"}).status_code == 200
    assert (Event.objects.count(), ConsentEvent.objects.count(), Suppression.objects.count()) == (1, 2, 1)
    assert states(alice) == {"News": "unsubscribed", "Offers": "unsubscribed"}


def test_a_later_one_click_outranks_what_a_store_heard_in_between(campaign: Campaign, alice: Contact) -> None:
    first = datetime.now(UTC)
    Client().post(address(campaign, alice), ONE_CLICK)
    Client().post(address(campaign, alice), ONE_CLICK)
    kept = Subscription.objects.get(contact=alice, mailing_list__name="News")
    assert kept.consent_at > first
    assert ConsentEvent.objects.get().occurred_at < kept.consent_at


def test_only_a_bad_token_is_not_found(campaign: Campaign, alice: Contact) -> None:
    assert Client().post("/u/" + "A" * 22, ONE_CLICK).status_code == 404
    assert Client().post("/p/" + "A" * 22).status_code == 404
    path = address(campaign, alice)
    Contact.objects.filter(pk=alice.pk).delete()
    assert Client().post(path, ONE_CLICK).status_code == 200  # erased since: there is nothing left to leave
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("page", ["u", "p"])
@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_what_a_scanner_may_do_leaves_everything_as_it_is(
    campaign: Campaign, alice: Contact, page: str, method: str
) -> None:
    path = address(campaign, alice, page)
    answer = getattr(Client(), method)(f"{path}?List-Unsubscribe=One-Click&scope=everything&list=1")
    assert answer.status_code == (200 if method in ("get", "head") else 405)
    assert answer["Cache-Control" if method in ("get", "head") else "Allow"] in ("no-store, private", "GET, HEAD, POST")
    assert nothing_happened(alice)


def test_following_every_link_of_a_message_unsubscribes_nobody(
    redis: Redis, campaign: Campaign, alice: Contact
) -> None:
    token = views.tokens().make(campaign.pk, alice.pk)
    for path in ("o/{}", "c/{}/0", "h/{}", "u/{}", "p/{}"):
        for method in ("head", "get"):
            getattr(Client(), method)("/" + path.format(token))
    assert nothing_happened(alice)


def test_the_page_has_one_button_and_says_whose_address_it_is_without_giving_it_away(
    campaign: Campaign, alice: Contact
) -> None:
    page = html.fromstring(Client().get(address(campaign, alice)).content.decode())
    assert faults(page) == []
    assert texts(page, "button") == ["Unsubscribe"]
    shown = " ".join(texts(page, "body"))
    assert "a•••@example.org" in shown
    assert "alice" not in shown
    assert page.cssselect("a.btn")[0].get("href") == address(campaign, alice, "p")


def test_the_button_takes_the_campaigns_lists_and_a_reason(campaign: Campaign, alice: Contact) -> None:
    given = {"scope": "list", "why": "too_often", "reason": "  Täglich!  "}
    answer = Client().post(address(campaign, alice), given)
    page = html.fromstring(answer.content.decode())
    assert (answer.status_code, faults(page)) == (200, [])
    assert states(alice) == {"News": "unsubscribed", "Offers": "confirmed"}
    details = {"source": "page", "reason": "Täglich!", "everything": False, "why": "too_often"}
    assert Event.objects.get().details == details


def test_a_reason_that_comes_after_the_one_click_is_added_to_it(campaign: Campaign, alice: Contact) -> None:
    Client().post(address(campaign, alice), ONE_CLICK)
    Client().post(address(campaign, alice), {"scope": "list", "why": "never_asked", "reason": "x" * 999})
    details = Event.objects.get().details
    assert (details["why"], details["reason"]) == ("never_asked", "x" * 300)


def test_a_reason_that_is_not_on_the_list_is_no_reason(campaign: Campaign, alice: Contact) -> None:
    Client().post(address(campaign, alice), {"why": "'; DROP TABLE"})
    assert Event.objects.get().details["why"] == ""


def test_everything_is_a_suppression_for_the_brand_and_no_other(campaign: Campaign, alice: Contact) -> None:
    subscribe(alice, make_list(make_brand("Globex"), "Elsewhere"))
    Client().post(address(campaign, alice), {"scope": "everything"})
    assert states(alice) == {"News": "unsubscribed", "Offers": "unsubscribed", "Elsewhere": "confirmed"}
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.brand_id, suppression.reason) == (
        alice.address,
        campaign.brand_id,
        "unsubscribed",
    )


def test_preferences_show_and_set_the_lists(campaign: Campaign, alice: Contact, news: MailingList) -> None:
    path = address(campaign, alice, "p")
    page = html.fromstring(Client().get(path).content.decode())
    assert faults(page) == []
    assert {box.get("value"): box.get("checked") is not None for box in page.cssselect("input[type=checkbox]")} == {
        str(pk): True for pk in MailingList.objects.values_list("pk", flat=True)
    }
    answer = Client(enforce_csrf_checks=True).post(path, {"list": [str(news.pk), "x", "9" * 40, "²"]})
    assert "Your choice is saved." in answer.content.decode()
    assert states(alice) == {"News": "confirmed", "Offers": "unsubscribed"}
    Client().post(path, {"list": [str(pk) for pk in MailingList.objects.values_list("pk", flat=True)]})
    assert set(states(alice).values()) == {"confirmed"}


def away(*_args: Any, **_kwargs: Any) -> Any:
    raise OperationalError("PostgreSQL is away")


def test_while_postgresql_is_away_the_wish_waits_in_redis_and_is_carried_out_later(
    redis: Redis, campaign: Campaign, alice: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(leaving, "leave", away)
        answers = [Client().post(address(campaign, alice), ONE_CLICK) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert nothing_happened(alice)
        with pytest.raises(OperationalError):
            leaving.carry_out_kept(redis)
        assert redis.llen(leaving.QUEUE) == 2
    assert leaving.carry_out_kept(redis) == 2
    assert redis.llen(leaving.QUEUE) == 0
    assert states(alice)["News"] == "unsubscribed"
    assert Event.objects.count() == 1


def test_without_postgresql_and_redis_nobody_is_told_that_it_worked(
    campaign: Campaign, alice: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_redis(*_args: object) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr(leaving, "leave", away)
    monkeypatch.setattr(leaving, "keep_for_later", no_redis)
    answer = Client().post(address(campaign, alice), ONE_CLICK)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def test_preferences_that_cannot_be_saved_say_so(
    campaign: Campaign, alice: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "set_preferences", away)
    assert Client().post(address(campaign, alice, "p"), {}).status_code == 503
    assert nothing_happened(alice)


def test_a_wish_that_cannot_be_carried_out_holds_up_nobody(redis: Redis, campaign: Campaign, alice: Contact) -> None:
    redis.rpush(leaving.QUEUE, b"\xc1nonsense")
    leaving.keep_for_later(redis, leaving.Wish(campaign.pk, alice.pk))
    assert leaving.carry_out_kept(redis) == 1
    assert redis.lrange(leaving.FAILED, 0, -1) == [b"\xc1nonsense"]
    assert states(alice)["News"] == "unsubscribed"


def test_an_unsubscribe_that_waited_keeps_its_own_time(redis: Redis, campaign: Campaign, alice: Contact) -> None:
    asked = datetime(2026, 1, 5, tzinfo=UTC)
    leaving.leave(leaving.Wish(campaign.pk, alice.pk, at=asked.timestamp()), now=datetime(2026, 1, 6, tzinfo=UTC))
    assert Event.objects.get().occurred_at == asked


def test_the_page_shows_its_button_while_postgresql_is_away(campaign: Campaign, alice: Contact) -> None:
    views.database_outage().note()
    answer = Client().get(address(campaign, alice))
    assert answer.status_code == 200
    page = html.fromstring(answer.content.decode())
    assert texts(page, "button") == ["Unsubscribe"]
    answer = Client().get(address(campaign, alice, "p"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
