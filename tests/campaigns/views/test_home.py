"""The home page: first steps, alerts, campaigns, audience."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.test import Client
from django.urls import reverse

from campaigns.registry import FakeDelivery, ProgressLine
from contacts.models import Contact
from tests.campaigns.factories import NOW, make_campaign, make_ready_campaign
from tests.campaigns.views.reading import page_of, texts
from tests.contacts.factories import make_brand

HOME = "/admin/"


def test_an_empty_installation_shows_the_first_steps(maria: Client) -> None:
    page = page_of(maria.get(HOME))

    assert texts(page, ".first-steps .step-name") == [
        "Set up your brand",
        "Connect a provider",
        "Import your contacts",
        "Make a template",
        "Send your first campaign",
    ]
    assert page.cssselect(".first-steps .done") == []


def test_a_step_that_is_done_is_ticked(maria: Client) -> None:
    make_ready_campaign()

    page = page_of(maria.get(HOME))

    assert texts(page, ".first-steps .done .step-name") == ["Set up your brand (done)", "Import your contacts (done)"]


def test_after_the_first_launch_the_steps_are_gone(maria: Client) -> None:
    make_campaign(state="finished", launched_at=NOW)

    assert page_of(maria.get(HOME)).cssselect(".first-steps") == []


def test_campaigns_stand_where_they_belong(maria: Client, delivery: FakeDelivery) -> None:
    brand = make_brand()
    running = make_campaign(brand=brand, name="Running", state="sending", launched_at=NOW)
    make_campaign(brand=brand, name="Next", state="scheduled", send_at=NOW)
    make_campaign(brand=brand, name="Done", state="finished", launched_at=NOW, finished_at=NOW)
    delivery.lines[running.pk] = ProgressLine(n_total=10, n_done=3, stalled="No worker is running.")

    page = page_of(maria.get(HOME))

    assert texts(page, "[aria-labelledby=under-way] .link") == ["Running"]
    assert texts(page, "[aria-labelledby=under-way] .words") == ["3 of 10 (30 %)"]
    assert texts(page, "[aria-labelledby=under-way] .help") == ["No worker is running."]
    assert texts(page, "[aria-labelledby=scheduled] .link") == ["Next"]
    assert texts(page, "[aria-labelledby=finished] tbody th a") == ["Done"]


def test_what_waits_for_a_person_is_an_alert(maria: Client) -> None:
    brand = make_brand()
    make_campaign(brand=brand, name="Stopped", state="paused", state_reason="Too many bounces.")
    fallen = make_campaign(brand=brand, name="Fallen", state_reason="It could not be sent: no subject.")

    page = page_of(maria.get(HOME))

    assert texts(page, ".note p") == [
        "“Stopped” is paused. Too many bounces.",
        "“Fallen” was not sent. It could not be sent: no subject.",
    ]
    assert page.cssselect(".note a")[1].get("href") == reverse("admin:campaigns_campaign_change", args=[fallen.pk])


@time_machine.travel(NOW, tick=False)
def test_the_audience_is_counted_and_its_growth_drawn(maria: Client) -> None:
    make_ready_campaign()
    Contact.objects.update(created_at=NOW - timedelta(days=2))

    page = page_of(maria.get(HOME))

    assert texts(page, "[aria-labelledby=audience] .stat .number") == ["1", "1"]
    days, numbers = texts(page, "#growth tbody th"), texts(page, "#growth tbody td")
    assert (len(days), len(numbers)) == (31, 31)
    assert (days[-3:], numbers[-3:]) == (["30 Dec", "31 Dec", "1 Jan"], ["1", "0", "0"])


def test_the_log_in_page_is_labelled_and_says_what_is_wrong(client: Client, db: None) -> None:
    page = page_of(client.post("/admin/login/", {"username": "maria", "password": "wrong"}))

    assert texts(page, "h1") == ["Log in"]
    assert texts(page, "label") == ["Username", "Password"]
    assert "correct username and password" in texts(page, "[role=alert]")[0]


def test_what_only_operators_need_is_folded_away_until_one_is_there(maria: Client) -> None:
    folded = page_of(maria.get("/admin/")).cssselect("#nav-sidebar-apps details")
    assert [(texts(group, "summary"), group.get("open")) for group in folded] == [(["For operators"], None)]
    assert "Shaping rules" in texts(folded[0], "a span:nth-child(2)")
    [there] = page_of(maria.get("/admin/delivery/shapingrule/")).cssselect("#nav-sidebar-apps details[open]")
    assert texts(there, "[aria-current=page] span:nth-child(2)") == ["Shaping rules"]
