"""The list of campaigns: states, figures, buttons."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Audience, Campaign
from campaigns.registry import FakeDelivery, ProgressLine
from tests.campaigns.factories import NOW, make_campaign
from tests.campaigns.views.reading import page_of, texts
from tests.contacts.factories import make_brand

LIST = "/admin/campaigns/campaign/"


def press(client: Client, button: str, campaign: Campaign, **values: str) -> list[str]:
    """Press a button and read the message that the next page shows."""
    url = reverse(f"admin:campaigns_campaign_{button}", args=[campaign.pk])
    response = client.post(url, {"next": LIST, **values})
    assert response.status_code == 302
    return [str(message) for message in client.get(response["Location"], follow=True).context["messages"]]


def test_an_empty_list_leads_to_the_first_campaign(maria: Client) -> None:
    page = page_of(maria.get(LIST))

    assert texts(page, ".empty-state h2") == ["No campaigns yet"]
    assert page.cssselect(".empty-state a")[0].get("href") == reverse("admin:campaigns_campaign_add")


def test_a_row_has_name_subject_state_and_figures(maria: Client, delivery: FakeDelivery) -> None:
    campaign = make_campaign(state="sending", launched_at=NOW)
    Audience.objects.create(
        campaign=campaign,
        frozen_at=NOW,
        n_matched=1200,
        n_total=1200,
        n_duplicates=0,
        n_unsubscribed=0,
        n_unconfirmed=0,
        n_excluded=0,
        n_suppressed=0,
    )
    delivery.lines[campaign.pk] = ProgressLine(n_total=1200, n_done=600, n_accepted=500, n_opened=150, n_clicked=21)

    page = page_of(maria.get(LIST))

    assert texts(page, "tbody th") == ["Sale A new season"]
    assert texts(page, ".chip") == ["Sending"]
    assert texts(page, ".meter .words") == ["600 of 1,200 (50 %)"]
    assert texts(page, "tbody td.number")[:3] == ["1,200", "30.0 %", "4.2 %"]


def test_a_draft_shows_no_figures(maria: Client) -> None:
    make_campaign()

    assert texts(page_of(maria.get(LIST)), "tbody td.number")[:3] == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("draft", ["Open", "Duplicate", "Delete…"]),
        ("scheduled", ["Open", "Back to draft", "Duplicate", "Cancel…"]),
        ("preparing", ["Report", "Pause", "Duplicate", "Cancel…"]),
        ("sending", ["Report", "Pause", "Duplicate", "Cancel…"]),
        ("paused", ["Report", "Resume", "Duplicate", "Cancel…"]),
        ("finished", ["Report", "Duplicate"]),
        ("cancelled", ["Open", "Duplicate"]),
    ],
)
def test_the_buttons_are_those_that_the_state_allows(maria: Client, state: str, buttons: list[str]) -> None:
    make_campaign(state=state, send_at=NOW)

    page = page_of(maria.get(LIST))

    assert texts(page, ".menu-items > a, .menu-items button") == buttons


def test_who_may_only_look_has_no_buttons(vera: Client) -> None:
    make_campaign(state="sending")

    assert texts(page_of(vera.get(LIST)), ".menu-items > a, .menu-items button") == ["Report"]


def test_the_list_is_narrowed_by_state_and_by_words(maria: Client) -> None:
    brand = make_brand()
    make_campaign(brand=brand, name="Spring sale", subject="Flowers for you")
    make_campaign(brand=brand, name="Autumn", subject="Leaves", state="finished")

    def names(query: str) -> list[str]:
        return texts(page_of(maria.get(LIST + query)), "tbody th a")

    assert names("") == ["Autumn", "Spring sale"]
    assert names("?state=draft") == ["Spring sale"]
    assert names("?state=finished") == ["Autumn"]
    assert names("?q=flowers") == ["Spring sale"]
    assert names("?q=autumn") == ["Autumn"]
    assert names("?q=nothing+like+it") == []


@pytest.mark.parametrize("n_campaigns", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    maria: Client, n_campaigns: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    brand = make_brand()
    for number in range(n_campaigns):
        make_campaign(brand=brand, name=f"Campaign {number}", state="finished", launched_at=NOW)

    # Session, person, count, campaigns with brand and audience, variants.
    with django_assert_num_queries(5):
        page_of(maria.get(LIST))


def test_a_part_of_the_page_is_enough_for_a_refresh(maria: Client) -> None:
    make_campaign(state="sending")

    body = maria.get(LIST, headers={"HX-Request": "true"}).content.decode()

    assert "<table" in body
    assert "<html" not in body


def test_pause_resume_and_cancel(maria: Client) -> None:
    campaign = make_campaign(state="sending")

    assert press(maria, "pause", campaign) == ["“Sale” is paused."]
    campaign.refresh_from_db()
    assert (campaign.state, campaign.state_reason) == ("paused", "Paused by maria.")

    assert press(maria, "resume", campaign) == ["“Sale” goes on."]
    assert press(maria, "cancel", campaign) == ["“Sale” is cancelled."]
    campaign.refresh_from_db()
    assert campaign.state == "cancelled"


def test_a_button_pressed_too_late_says_what_the_state_is(maria: Client) -> None:
    campaign = make_campaign(state="finished")

    assert press(maria, "pause", campaign) == ["“Sale” is finished, so nothing was changed."]
    campaign.refresh_from_db()
    assert campaign.state == "finished"


def test_a_duplicate_opens_as_a_draft(maria: Client) -> None:
    campaign = make_campaign(state="finished")

    response = maria.post(reverse("admin:campaigns_campaign_duplicate", args=[campaign.pk]))

    copy = Campaign.objects.exclude(pk=campaign.pk).get()
    assert response["Location"] == reverse("admin:campaigns_campaign_change", args=[copy.pk])
    assert (copy.name, copy.created_by) == ("Copy of Sale", User.objects.get(username="maria"))


def test_a_button_leads_back_to_our_own_pages_only(maria: Client) -> None:
    campaign = make_campaign(state="sending")
    url = reverse("admin:campaigns_campaign_pause", args=[campaign.pk])

    assert maria.post(url, {"next": "https://evil.example/"})["Location"] == LIST


def test_a_draft_can_be_deleted_and_a_launched_campaign_cannot(maria: Client) -> None:
    brand = make_brand()
    draft, sent = make_campaign(brand=brand), make_campaign(brand=brand, state="finished", launched_at=NOW)

    def delete(campaign: Campaign) -> int:
        return maria.post(reverse("admin:campaigns_campaign_delete", args=[campaign.pk]), {"post": "yes"}).status_code

    assert (delete(draft), delete(sent)) == (302, 403)
    assert list(Campaign.objects.all()) == [sent]
