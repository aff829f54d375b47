"""The moment a campaign's time has come."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from campaigns.content.source import Content
from campaigns.models import Campaign, FrozenContent, Variant
from campaigns.queries import frozen_contents
from campaigns.services import launch_campaign, launch_due_campaigns
from campaigns.tasks import launch_due
from tests.campaigns.factories import BROKEN, NOW, make_campaign
from tests.contacts.factories import make_brand, make_list


def make_due(*, state: str = "scheduled", **fields: Any) -> Campaign:
    return make_campaign(make_list(), state=state, send_at=NOW, **fields)


@pytest.mark.django_db
def test_a_due_campaign_is_preparing_with_its_content_frozen() -> None:
    campaign = make_due()

    assert launch_campaign(campaign.pk, now=NOW)

    campaign.refresh_from_db()
    (frozen,) = frozen_contents(campaign.pk)
    assert (campaign.state, campaign.launched_at) == ("preparing", NOW)
    content = Content.from_dict(frozen.content)
    assert content.subject == "A new season"
    assert [link.url for link in content.links] == ["https://shop.example/sale"]


@pytest.mark.django_db
def test_the_identity_is_the_brands_unless_the_variant_has_its_own() -> None:
    brand = make_brand("Acme", website="https://acme.example", reply_to="help@acme.example")
    news = make_list(brand, "News")
    campaign = make_campaign(news, state="scheduled", send_at=NOW, from_name="Ada of Acme")

    launch_campaign(campaign.pk, now=NOW)

    (frozen,) = frozen_contents(campaign.pk)
    assert frozen.identity == {
        "from_name": "Ada of Acme",
        "from_email": "news@acme.example",
        "reply_to": "help@acme.example",
        "sending_domain": "acme.example",
        "bounce_domain": "bounces.acme.example",
        "list_id": f"list-{news.pk}.acme.acme.example",
        "list_name": "News",
        "feedback_id": f"{campaign.pk}:acme:campaign:fanfare",
        "tracking_origin": settings.PUBLIC_ORIGIN,
        "brand": {"name": "Acme", "postal_address": "Gartenweg 1, Berlin", "website": "https://acme.example"},
        "campaign": {"name": "Sale", "subject": "A new season"},
    }


@pytest.mark.django_db
def test_a_campaign_to_several_lists_carries_the_brands_list_id_and_tracking_address() -> None:
    news = make_list(make_brand("Acme", tracking_origin="https://go.acme.example/"), "News")
    campaign = make_campaign(news, make_list(news.brand, "Shop"), state="scheduled", send_at=NOW)

    launch_campaign(campaign.pk, now=NOW)

    (frozen,) = frozen_contents(campaign.pk)
    assert (frozen.identity["list_id"], frozen.identity["list_name"]) == ("acme.acme.example", "Acme")
    assert frozen.identity["tracking_origin"] == "https://go.acme.example"


@pytest.mark.django_db
def test_the_variants_share_one_link_table() -> None:
    campaign = make_due()
    first = campaign.variants.get()
    Variant.objects.create(campaign=campaign, name="B", subject="B", markup="html", body=first.body)

    launch_campaign(campaign.pk, now=NOW)

    indexes = [[link["index"] for link in frozen.content["links"]] for frozen in frozen_contents(campaign.pk)]
    assert indexes == [[0], [1]]


@pytest.mark.django_db
def test_launching_twice_freezes_once() -> None:
    campaign = make_due()

    assert launch_campaign(campaign.pk, now=NOW)
    assert not launch_campaign(campaign.pk, now=NOW + timedelta(seconds=1))

    campaign.refresh_from_db()
    assert campaign.launched_at == NOW
    assert FrozenContent.objects.count() == 1


@pytest.mark.django_db
def test_content_that_no_longer_compiles_brings_the_campaign_back_to_draft_with_the_reason() -> None:
    campaign = make_due(body=BROKEN)

    assert not launch_campaign(campaign.pk, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.launched_at) == ("draft", None)
    assert campaign.state_reason.startswith("It could not be sent: body, line 1:")
    assert not FrozenContent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["draft", "preparing", "sending", "paused", "finished", "cancelled"])
def test_only_what_is_scheduled_launches(state: str) -> None:
    campaign = make_due(state=state)

    assert not launch_campaign(campaign.pk, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.launched_at) == (state, None)


@pytest.mark.django_db
def test_the_tick_launches_what_is_due_and_leaves_the_rest() -> None:
    news = make_list()
    due = make_campaign(news, state="scheduled", send_at=NOW)
    later = make_campaign(news, state="scheduled", send_at=NOW + timedelta(seconds=1))

    assert launch_due_campaigns(now=NOW) == 1

    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.state, later.state) == ("preparing", "scheduled")


@pytest.mark.django_db
def test_the_task_launches_what_is_due_by_the_clock() -> None:
    campaign = make_due()

    launch_due()

    campaign.refresh_from_db()
    assert campaign.state == "preparing"


@pytest.mark.django_db(transaction=True)
def test_a_campaign_that_another_tick_holds_is_left_to_it() -> None:
    campaign = make_due()
    results: list[bool] = []

    def rival() -> None:
        results.append(launch_campaign(campaign.pk, now=NOW))
        connection.close()

    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        thread = threading.Thread(target=rival)
        thread.start()
        thread.join(timeout=20)

    assert results == [False]
    campaign.refresh_from_db()
    assert campaign.state == "scheduled"


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_launch_once() -> None:
    campaign = make_due()
    barrier = threading.Barrier(2)
    results: list[bool] = []

    def tick() -> None:
        barrier.wait(timeout=20)
        results.append(launch_campaign(campaign.pk, now=NOW))
        connection.close()

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(results) == [False, True]
    assert FrozenContent.objects.count() == 1
