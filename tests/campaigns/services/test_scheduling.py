"""From draft to scheduled and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from campaigns.errors import NotReady, WrongState
from campaigns.models import Campaign
from campaigns.readiness import LaunchProblem, Step
from campaigns.registry import FakeDelivery
from campaigns.services import schedule_campaign, send_now, unschedule_campaign
from tests.campaigns.factories import BROKEN, NOW, WITHOUT_LINK, make_campaign, make_ready_campaign
from tests.contacts.factories import make_list

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("delivery")]
SOON = NOW + timedelta(hours=1)


def schedule(campaign: Campaign, **values: Any) -> None:
    defaults: dict[str, Any] = {"send_at": SOON, "timezone": "Europe/Berlin", "by": None, "now": NOW}
    schedule_campaign(campaign.pk, **(defaults | values))


def blocked(campaign: Campaign, **values: Any) -> list[str]:
    with pytest.raises(NotReady) as refusal:
        schedule(campaign, **values)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at) == ("draft", None)
    return [problem.message for problem in refusal.value.problems]


def test_a_ready_campaign_is_scheduled_with_its_time_and_zone() -> None:
    maria = User.objects.create_user("maria")
    campaign = make_ready_campaign(state_reason="It could not be sent")

    schedule(campaign, by=maria)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at, campaign.timezone) == ("scheduled", SOON, "Europe/Berlin")
    assert (campaign.scheduled_by, campaign.state_reason) == (maria, "")


def test_send_now_schedules_for_now_in_the_campaigns_zone() -> None:
    campaign = make_ready_campaign(timezone="Asia/Tokyo")

    send_now(campaign.pk, by=None, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at, campaign.timezone) == ("scheduled", NOW, "Asia/Tokyo")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subject": " "}, "The subject is empty."),
        ({"body": ""}, "The message is empty."),
        ({"body": WITHOUT_LINK}, "It has no unsubscribe link."),
        ({"subject": "Hello {{ contact.frist_name }}"}, "There is no field “contact.frist_name”."),
        (
            {"from_email": "shop@gmail.com"},
            "The sender address is at gmail.com, but this brand sends from blumenladen.example.",
        ),
    ],
)
def test_what_blocks_is_said_and_nothing_is_written(fields: dict[str, str], message: str) -> None:
    assert blocked(make_ready_campaign(**fields)) == [message]


def test_content_that_does_not_compile_blocks() -> None:
    assert "“{% if %}” is never closed." in blocked(make_ready_campaign(body=BROKEN))


def test_a_time_that_has_passed_blocks() -> None:
    campaign = make_ready_campaign()

    assert blocked(campaign, send_at=NOW - timedelta(minutes=2)) == ["The chosen time has passed."]


def test_a_list_with_nobody_to_reach_blocks() -> None:
    assert blocked(make_campaign(make_list())) == ["Nobody would receive this campaign."]


def test_no_list_at_all_blocks() -> None:
    assert blocked(make_campaign()) == ["No list is chosen."]


def test_a_brand_without_a_postal_address_blocks() -> None:
    campaign = make_ready_campaign()
    campaign.brand.postal_address = ""
    campaign.brand.save(update_fields=["postal_address"])

    assert blocked(campaign) == ["The brand has no postal address."]


def test_what_delivery_says_blocks(delivery: FakeDelivery) -> None:
    campaign = make_ready_campaign()
    delivery.problems = [LaunchProblem("There is no route.", Step.SCHEDULE)]

    assert blocked(campaign) == ["There is no route."]
    assert delivery.asked == [campaign.pk]


def test_every_problem_is_named_at_once() -> None:
    assert blocked(make_campaign(subject="", body="")) == [
        "No list is chosen.",
        "The subject is empty.",
        "The message is empty.",
    ]


@pytest.mark.parametrize("state", ["scheduled", "preparing", "sending", "paused", "finished", "cancelled"])
def test_only_a_draft_can_be_scheduled(state: str) -> None:
    campaign = make_ready_campaign(state=state, send_at=NOW)

    with pytest.raises(WrongState):
        schedule(campaign)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at) == (state, NOW)


def test_the_slower_of_two_people_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_ready_campaign()

    def a_rival_schedules_first(_fake: FakeDelivery, _campaign: Campaign) -> list[LaunchProblem]:
        Campaign.objects.filter(pk=campaign.pk).update(state="scheduled", send_at=NOW)
        return []

    monkeypatch.setattr(FakeDelivery, "launch_problems", a_rival_schedules_first)

    with pytest.raises(WrongState, match="somebody else was faster"):
        schedule(campaign)

    campaign.refresh_from_db()
    assert campaign.send_at == NOW


def test_a_scheduled_campaign_goes_back_to_draft_and_keeps_its_time() -> None:
    campaign = make_ready_campaign(state="scheduled", send_at=SOON)

    unschedule_campaign(campaign.pk, now=NOW)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.send_at) == ("draft", SOON)


def test_a_launched_campaign_does_not_go_back_to_draft() -> None:
    campaign = make_ready_campaign(state="preparing", send_at=NOW)

    with pytest.raises(WrongState):
        unschedule_campaign(campaign.pk, now=NOW)

    campaign.refresh_from_db()
    assert campaign.state == "preparing"
