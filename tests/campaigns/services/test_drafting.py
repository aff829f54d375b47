"""Making campaigns and templates, and saving the wizard's steps."""

from __future__ import annotations

import pytest

from campaigns.errors import WrongState
from campaigns.models import Campaign
from campaigns.services import create_campaign, create_template, save_audience, save_content, save_schedule
from campaigns.services.drafting import ContentDraft, ScheduleDraft
from campaigns.starters import Design
from tests.campaigns.factories import NOW, make_campaign
from tests.contacts.factories import make_brand, make_list

pytestmark = pytest.mark.django_db
CONTENT = ContentDraft("Hello", "Look", "Ada", "ada@acme.example", "", "html", "<p>Hi</p>", "Hi")
SCHEDULE = ScheduleDraft(NOW, "Asia/Tokyo", "main", track_opens=False, track_clicks=True)


def test_a_new_campaign_is_a_draft_with_one_variant_in_the_brands_zone() -> None:
    brand = make_brand(timezone="Europe/Berlin")

    campaign = create_campaign(brand, name="Sale", by=None, design=Design("html", "<p>Hi</p>", "Hi"))

    variant = campaign.variants.get()
    assert (campaign.state, campaign.timezone, campaign.send_at) == ("draft", "Europe/Berlin", None)
    assert (variant.name, variant.share, variant.markup, variant.body, variant.text) == (
        "A",
        100,
        "html",
        "<p>Hi</p>",
        "Hi",
    )


def test_a_template_holds_its_design() -> None:
    template = create_template(make_brand(), name="News", design=Design("mjml", "<mjml></mjml>"))

    assert (template.markup, template.body, template.text) == ("mjml", "<mjml></mjml>", "")


def test_the_audience_step_sets_name_and_lists() -> None:
    old, new, vip = make_list(), make_list(make_brand("B"), "New"), make_list(make_brand("C"), "VIP")
    campaign = make_campaign(old)

    save_audience(campaign.pk, name="Spring", send_to=[new], exclude=[vip], now=NOW)

    campaign.refresh_from_db()
    assert campaign.name == "Spring"
    assert (list(campaign.send_to.all()), list(campaign.exclude.all())) == ([new], [vip])


def test_the_content_step_sets_the_variant_and_forgets_why_it_fell_back() -> None:
    campaign = make_campaign(state_reason="It could not be sent")
    variant = campaign.variants.get()

    save_content(campaign.pk, variant.pk, CONTENT, now=NOW)

    campaign.refresh_from_db()
    variant.refresh_from_db()
    assert (variant.subject, variant.preheader, variant.from_email) == ("Hello", "Look", "ada@acme.example")
    assert campaign.state_reason == ""


def test_the_content_of_another_campaign_is_not_touched() -> None:
    brand = make_brand()
    mine, other = make_campaign(brand=brand), make_campaign(brand=brand)
    variant = other.variants.get()

    save_content(mine.pk, variant.pk, CONTENT, now=NOW)

    variant.refresh_from_db()
    assert variant.subject == "A new season"


def test_the_schedule_step_sets_time_zone_route_and_counting() -> None:
    campaign = make_campaign()

    save_schedule(campaign.pk, SCHEDULE, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.send_at, campaign.timezone, campaign.route_key) == (NOW, "Asia/Tokyo", "main")
    assert (campaign.track_opens, campaign.track_clicks, campaign.state) == (False, True, "draft")


@pytest.mark.parametrize("state", [str(state) for state in Campaign.State if state != "draft"])
def test_what_is_no_draft_cannot_be_changed(state: str) -> None:
    campaign = make_campaign(state=state, send_at=NOW)
    variant = campaign.variants.get()

    with pytest.raises(WrongState):
        save_audience(campaign.pk, name="Spring", send_to=[], exclude=[], now=NOW)
    with pytest.raises(WrongState):
        save_content(campaign.pk, variant.pk, CONTENT, now=NOW)
    with pytest.raises(WrongState):
        save_schedule(campaign.pk, SCHEDULE, now=NOW)

    campaign.refresh_from_db()
    variant.refresh_from_db()
    assert (campaign.name, campaign.timezone, variant.subject) == ("Sale", "UTC", "A new season")
