"""Rules that every page keeps: one heading, labels, captions, no inline scripts, and permissions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, Template
from tests.campaigns.factories import NOW, make_campaign, make_ready_campaign, make_template
from tests.campaigns.views.reading import faults, page_of, texts

CAMPAIGN_PAGES = ("audience", "content", "schedule", "review")
POSTS = ("duplicate", "pause", "resume", "cancel", "unschedule", "preview")


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_ready_campaign()


@pytest.fixture
def template(campaign: Campaign) -> Template:
    return make_template(brand=campaign.brand)


def address(name: str, *args: int) -> str:
    return reverse(f"admin:campaigns_{name}", args=args)


Address = Callable[[Campaign, Template], str]
PAGES: dict[str, Address] = {
    "home": lambda _campaign, _template: reverse("admin:index"),
    "campaigns": lambda _campaign, _template: address("campaign_changelist"),
    "new campaign": lambda _campaign, _template: address("campaign_add"),
    "audience": lambda campaign, _template: address("campaign_audience", campaign.pk),
    "content": lambda campaign, _template: address("campaign_content", campaign.pk),
    "schedule": lambda campaign, _template: address("campaign_schedule", campaign.pk),
    "review": lambda campaign, _template: address("campaign_review", campaign.pk),
    "templates": lambda _campaign, _template: address("template_changelist"),
    "new template": lambda _campaign, _template: address("template_add"),
    "template": lambda _campaign, template: address("template_change", template.pk),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_rules(maria: Client, campaign: Campaign, template: Template, name: str) -> None:
    assert faults(page_of(maria.get(PAGES[name](campaign, template)))) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_people_who_are_logged_in(campaign: Campaign, template: Template, name: str) -> None:
    response = Client().get(PAGES[name](campaign, template))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("campaigns", 200),
        ("review", 200),
        ("templates", 200),
        ("template", 200),
        ("new campaign", 403),
        ("audience", 403),
        ("content", 403),
        ("schedule", 403),
        ("new template", 403),
    ],
)
def test_who_may_only_look_sees_and_cannot_edit(
    vera: Client, campaign: Campaign, template: Template, name: str, status: int
) -> None:
    assert vera.get(PAGES[name](campaign, template)).status_code == status


@pytest.mark.parametrize("name", ["duplicate", "pause", "resume", "cancel", "unschedule"])
def test_who_may_only_look_can_press_no_button(vera: Client, campaign: Campaign, name: str) -> None:
    Campaign.objects.update(state="sending")

    assert vera.post(address(f"campaign_{name}", campaign.pk)).status_code == 403

    assert list(Campaign.objects.values_list("state", flat=True)) == ["sending"]


def test_who_may_only_look_cannot_send_from_the_review(vera: Client, campaign: Campaign) -> None:
    vera.post(address("campaign_review", campaign.pk))

    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_who_may_only_look_cannot_save_a_template(vera: Client, template: Template) -> None:
    vera.post(address("template_change", template.pk), {"name": "Changed", "markup": "html", "body": "x"})

    template.refresh_from_db()
    assert template.name == "Newsletter"


@pytest.mark.parametrize("name", POSTS)
def test_a_button_does_nothing_on_get(maria: Client, campaign: Campaign, name: str) -> None:
    assert maria.get(address(f"campaign_{name}", campaign.pk)).status_code == 405


@pytest.mark.parametrize("name", CAMPAIGN_PAGES)
def test_a_campaign_that_is_not_there_is_not_found(maria: Client, name: str) -> None:
    assert maria.get(address(f"campaign_{name}", 0)).status_code == 404


@pytest.mark.parametrize("name", ["audience", "content", "schedule"])
def test_what_is_scheduled_is_shown_and_not_edited(maria: Client, name: str) -> None:
    scheduled = make_campaign(state="scheduled", send_at=NOW)

    response = maria.get(address(f"campaign_{name}", scheduled.pk))

    assert response.status_code == 302
    assert response["Location"] == address("campaign_change", scheduled.pk)


def test_the_sidebar_leads_only_where_one_may_go(vera: Client, campaign: Campaign) -> None:
    page = page_of(vera.get(reverse("admin:index")))

    links = [link.text_content().split()[-1] for link in page.cssselect("#nav-sidebar-apps a")]
    assert "Campaigns" in links
    assert "Templates" in links
    assert "Brands" not in links
    assert "People" not in links


def test_the_sidebar_says_where_one_is(maria: Client, campaign: Campaign) -> None:
    page = page_of(maria.get(address("campaign_schedule", campaign.pk)))

    assert texts(page, "#nav-sidebar-apps [aria-current=page] span:nth-of-type(2)") == ["Campaigns"]
