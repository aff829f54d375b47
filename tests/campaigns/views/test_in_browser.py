"""What the pages' scripts do, in a real browser with the real content security policy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, Template
from campaigns.registry import FakeDelivery
from campaigns.starters import BLANK
from tests.campaigns.factories import make_campaign, make_template
from tests.contacts.factories import make_brand, make_contact, make_list, subscribe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page: Page, live_server: LiveServer, delivery: FakeDelivery) -> Iterator[Page]:
    """Maria's browser, logged in; a page that breaks its own rules or scripts fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    User.objects.create_superuser("maria", "maria@example.com", "pw")
    page.goto(f"{live_server.url}/admin/login/")
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("pw")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    yield page
    assert complaints == []


def visit(desk: Page, live_server: LiveServer, name: str, *args: object) -> None:
    desk.goto(live_server.url + reverse(f"admin:campaigns_{name}", args=args))


def make_editable_template() -> Template:
    return make_template(markup="mjml", body=BLANK)


def test_from_a_name_to_a_scheduled_campaign_and_back(desk: Page, live_server: LiveServer) -> None:
    news = make_list(make_brand(), "Newsletter")
    subscribe(make_contact("alice@example.com"), news)
    subscribe(make_contact("bob@example.com"), news, "unconfirmed")
    visit(desk, live_server, "campaign_changelist")

    desk.get_by_role("link", name="Make the first one").click()
    desk.get_by_label("Name").fill("Spring sale")
    desk.get_by_role("button", name="Create and choose the audience").click()
    desk.get_by_role("checkbox", name="Newsletter").first.check()
    expect(desk.locator("#funnel .total dd")).to_have_text("1")
    desk.get_by_role("button", name="Save and go on to Content").click()
    desk.get_by_label("Subject", exact=True).fill("Flowers for a new spring")
    desk.get_by_role("button", name="Save and go on to Schedule").click()
    desk.get_by_role("button", name="Save and go on to Review").click()
    desk.get_by_role("button", name="Send to 1 person").click()

    expect(desk.get_by_text(re.compile(r"Sending starts in \d+ seconds"))).to_be_visible()
    assert Campaign.objects.get().state == "scheduled"
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_text("is a draft again. Nothing was sent.")).to_be_visible()
    assert Campaign.objects.get().state == "draft"


def test_the_preview_follows_what_is_written(desk: Page, live_server: LiveServer) -> None:
    make_contact("alice@example.com", first_name="Alice")
    visit(desk, live_server, "template_change", make_editable_template().pk)
    frame = desk.frame_locator("[data-preview-frame]")
    expect(frame.get_by_text("Hello Robin")).to_be_visible()

    desk.locator("[name=body]").fill(BLANK.replace("Write your message here.", "Fresh tulips"))
    expect(frame.get_by_text("Fresh tulips")).to_be_visible()

    desk.get_by_label("as", exact=True).fill("alice@example.com")
    expect(frame.get_by_text("Hello Alice")).to_be_visible()

    desk.get_by_text("Text", exact=True).click()
    expect(desk.locator("[data-preview-text]")).to_contain_text("Fresh tulips")
    expect(desk.locator("[data-preview-frame]")).to_be_hidden()


def test_a_problem_leads_to_its_line(desk: Page, live_server: LiveServer) -> None:
    visit(desk, live_server, "template_change", make_editable_template().pk)

    desk.locator("[name=body]").fill(BLANK.replace("contact.first_name", "contact.frist_name"))
    expect(desk.get_by_text("Did you mean contact.first_name?")).to_be_visible()
    desk.get_by_role("button", name="Line 5").click()

    selected = desk.evaluate(
        "(() => { const a = document.activeElement; return a.value.slice(a.selectionStart, a.selectionEnd) })()"
    )
    assert selected == BLANK.replace("contact.first_name", "contact.frist_name").split("\n")[4]


def test_a_field_is_inserted_where_the_cursor_was(desk: Page, live_server: LiveServer) -> None:
    visit(desk, live_server, "campaign_content", make_campaign(brand=make_brand(), subject="Hello ").pk)

    desk.get_by_label("Subject", exact=True).press("End")
    desk.get_by_text("Insert a field").click()
    desk.get_by_role("button", name="City {{ contact.city }}").click()

    expect(desk.get_by_label("Subject", exact=True)).to_have_value("Hello {{ contact.city }}")
    expect(desk.locator("[data-preview-subject]")).to_have_text("Hello Springfield")
    expect(desk.get_by_text("24 characters")).to_be_visible()


def test_leaving_with_unsaved_changes_asks_first(desk: Page, live_server: LiveServer) -> None:
    visit(desk, live_server, "template_change", make_editable_template().pk)
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    desk.on("dialog", stay)

    desk.locator("[name=body]").press("x")
    desk.get_by_role("link", name="Campaigns", exact=True).click(no_wait_after=True)
    expect(desk.get_by_role("heading", name="Newsletter")).to_be_visible()
    assert questions == ["beforeunload"]

    desk.get_by_role("button", name="Save").first.click()
    expect(desk.get_by_text("“Newsletter” is saved.")).to_be_visible()
    desk.get_by_role("link", name="Campaigns", exact=True).click()
    expect(desk.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    assert questions == ["beforeunload"]


def test_cancelling_asks_first(desk: Page, live_server: LiveServer) -> None:
    campaign = make_campaign(state="paused")
    visit(desk, live_server, "campaign_changelist")
    desk.get_by_label("Actions for Sale").click()

    desk.once("dialog", lambda dialog: dialog.dismiss())
    desk.get_by_role("button", name="Cancel…").click()
    campaign.refresh_from_db()
    assert campaign.state == "paused"

    desk.once("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="Cancel…").click()
    expect(desk.get_by_text("is cancelled.")).to_be_visible()


def test_the_growth_is_drawn_and_its_numbers_are_folded_away(desk: Page, live_server: LiveServer) -> None:
    make_contact()
    desk.goto(f"{live_server.url}/admin/")

    expect(desk.locator("#growth svg[role=img]")).to_be_visible()
    expect(desk.locator("#growth table")).to_be_hidden()
    desk.get_by_text("Show the numbers").click()
    expect(desk.locator("#growth table")).to_be_visible()


def test_the_menu_works_by_keyboard_alone(desk: Page, live_server: LiveServer) -> None:
    visit(desk, live_server, "campaign_changelist")

    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="Skip to content")).to_be_focused()
    desk.keyboard.press("Enter")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="New campaign")).to_be_focused()


def test_without_a_script_the_pages_still_work(
    browser: Browser, live_server: LiveServer, delivery: FakeDelivery
) -> None:
    User.objects.create_superuser("maria", "maria@example.com", "pw")
    make_campaign(make_list(), name="Sale")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{live_server.url}/admin/login/?next=/admin/campaigns/campaign/")
        page.get_by_label("Username").fill("maria")
        page.get_by_label("Password").fill("pw")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Sale").click()
        page.get_by_label("Steps").get_by_role("link", name="Content").click()
        page.get_by_label("Subject", exact=True).fill("Written without a script")
        page.get_by_role("button", name="Save", exact=True).last.click()

        expect(page.get_by_text("Saved.")).to_be_visible()
        expect(page.frame_locator("[data-preview-frame]").get_by_text("Hello Robin")).to_be_visible()
    assert Campaign.objects.get().variants.get().subject == "Written without a script"
