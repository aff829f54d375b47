"""From an empty installation to a report with exact figures, as a marketer does it in a browser."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from contacts.models import Contact, MailingList, Subscription
from contacts.services import suppress_address
from delivery.models import Event
from delivery.progress import Progress, progress_of
from tests.delivery.factories import make_account, make_campaign, make_list, make_readers, make_route
from tests.delivery.smtp.scripted import On, ScriptedServer
from tests.flows.readers import LOOKING_SECONDS, SCANNER, leave_with_one_click, letters_of, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

# As Shopify exports customers, with a byte order mark, quoted newlines, and rows that nobody can be mailed at.
CUSTOMERS = (
    "\ufeffCustomer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,Note\r\n"
    "1,Alice,Ångström,alice@example.com,yes,Malmö,\r\n"
    '2,Bob,Brown,bob@example.com,yes,Bath,"likes\r\nmugs"\r\n'
    "3,小明,王,xiaoming@例子.example,yes,上海,\r\n"
    "4,Dora,Díaz,DORA@example.com,yes,Jaén,\r\n"
    "5,Erin,Evans,erin@gone.example,yes,Exeter,\r\n"
    "6,Carol,Clark,carol@example.com,no,Cork,\r\n"
    "7,Dave,Dunn,dave@example.com,yes,Derby,\r\n"
    "8,Nobody,,not-an-address,yes,,\r\n"
    "9,Alice,Again,Alice@example.com,yes,Malmö,\r\n"
).encode()
XIAOMING = "xiaoming@xn--fsqu00a.example"
READERS = {"alice@example.com", "bob@example.com", XIAOMING, "DORA@example.com"}


def test_from_nothing_to_a_report(desk: Page, site: str, sink: ScriptedServer, worker: subprocess.Popen[bytes]) -> None:
    sink.rules.append(On("RCPT", reply="550 5.1.1 <erin>: user unknown", match=b"erin@gone.example"))
    make_route(make_account(port=sink.port))
    set_up_brand(desk)
    import_customers(desk)
    dave = Contact.objects.get(email="dave@example.com")
    suppress_address(dave.address_key, dave.address, reason="manual", source="x", evidence={}, now=now())
    write_template(desk)
    write_campaign(desk, sink)
    schedule_for_tomorrow(desk)
    assert sink.accepted == [b"maria@example.com"]

    Campaign.objects.update(send_at=now())  # tomorrow has come
    expect(desk.get_by_text("Finished")).to_be_visible()
    letters = letters_of(sink, site)
    assert set(letters) == READERS | {"maria@example.com"}
    assert len(sink.received) == len(letters), "somebody was mailed twice"
    assert letters["alice@example.com"].subject == "Alice, tulips from Malmö"
    assert letters[XIAOMING].subject == "小明, tulips from 上海"
    assert progress_of(Campaign.objects.get().pk) == Progress(accepted=4, refused=1)

    read_them(site, sink)
    check_report(desk)


def test_pause_resume_and_cancel(desk: Page, site: str, sink: ScriptedServer, worker: subprocess.Popen[bytes]) -> None:
    make_route(make_account(port=sink.port, messages_per_second=20))
    make_readers(300, make_list())
    campaign = make_campaign(make_list(), send_at=now())
    desk.goto(f"{site}/admin/campaigns/campaign/{campaign.pk}/change/")
    until(lambda: len(sink.received) > 20)

    desk.get_by_role("button", name="Pause").click()
    expect(desk.get_by_role("button", name="Resume")).to_be_visible()
    time.sleep(1.5)  # what was handed to a connection leaves
    n_paused = len(sink.received)
    time.sleep(1.5)
    assert len(sink.received) == n_paused < 200

    desk.get_by_role("button", name="Resume").click()
    until(lambda: len(sink.received) > n_paused + 20)
    desk.once("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="Cancel").click()
    expect(desk.locator("#content, main").get_by_text("Cancelled").first).to_be_visible()
    until(lambda: progress_of(campaign.pk).done == 300)
    progress = progress_of(campaign.pk)
    assert (progress.accepted, progress.accepted + progress.cancelled) == (len(sink.received), 300)
    assert len(set(sink.accepted)) == len(sink.received) < 300


def set_up_brand(desk: Page) -> None:
    desk.get_by_role("link", name="Set up your brand").click()
    desk.get_by_label(re.compile("^Name")).fill("Willow & Clay")
    desk.get_by_label("Sender name").fill("Willow & Clay")
    desk.get_by_label("Sender address").fill("hello@news.willow.example")
    desk.get_by_label("Postal address").fill("12 Kiln Lane, Bristol BS1 4ND")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was added successfully")).to_be_visible()


def import_customers(desk: Page) -> None:
    desk.get_by_role("link", name="Home").first.click()
    desk.get_by_role("link", name="Import your contacts").click()
    desk.get_by_label("CSV file").set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": CUSTOMERS}
    )
    desk.get_by_role("button", name="Upload and choose columns").click()
    expect(desk.get_by_label("Column 4, Email, goes into")).to_have_value("email")
    expect(desk.get_by_label("Column 6, Default Address City, goes into")).to_have_value("city")
    desk.get_by_label("Or to a new list named").fill("Newsletter")
    expect(desk.get_by_role("cell", name="alice@example.com").last).to_be_visible()
    desk.get_by_role("button", name="Start the import").click()

    expect(desk.get_by_text("Finished")).to_be_visible()
    expect(desk.get_by_role("row", name=re.compile("^10 An address has the form"))).to_be_visible()
    assert Contact.objects.count() == 7
    members = Subscription.objects.filter(state="confirmed").values_list("contact__first_name", flat=True)
    assert set(members) == {"Alice", "Bob", "小明", "Dora", "Dave", "Erin"}


def write_template(desk: Page) -> None:
    desk.get_by_role("link", name="Templates").click()
    desk.get_by_role("link", name=re.compile("Newsletter")).first.click()
    desk.get_by_label("Name").fill("Tulips")
    desk.get_by_role("button", name="Create and edit").click()
    desk.get_by_label("as", exact=True).fill("alice@example.com")
    expect(desk.frame_locator("[data-preview-frame]").get_by_text("Hello Alice").first).to_be_visible()
    desk.get_by_role("button", name="Save").first.click()
    expect(desk.get_by_text("“Tulips” is saved.")).to_be_visible()


def write_campaign(desk: Page, sink: ScriptedServer) -> None:
    desk.get_by_role("link", name="Campaigns", exact=True).click()
    desk.get_by_role("link", name="Make the first one").click()
    desk.get_by_label("Name").fill("Spring")
    desk.get_by_text("Tulips").click()
    desk.get_by_role("button", name="Create and choose the audience").click()
    desk.get_by_role("checkbox", name=re.compile("Newsletter")).first.check()
    expect(desk.locator("#funnel .total dd")).to_have_text("5")
    desk.get_by_role("button", name="Save and go on to Content").click()
    desk.get_by_label("Subject", exact=True).fill("{{ contact.first_name }}, tulips from {{ contact.city }}")
    desk.get_by_label("Send a test to").fill("maria@example.com")
    desk.get_by_role("button", name="Save and send a test").click()
    expect(desk.get_by_text("maria@example.com: accepted")).to_be_visible()
    assert sink.accepted == [b"maria@example.com"]
    desk.get_by_role("button", name="Save and go on to Schedule").click()


def schedule_for_tomorrow(desk: Page) -> None:
    desk.get_by_label("At a date and time").check()
    desk.get_by_label("Date", exact=True).fill("2099-05-04")
    desk.get_by_label("Time", exact=True).fill("09:30")
    desk.get_by_label("Time zone").select_option("Europe/London")
    desk.get_by_role("button", name="Save and go on to Review").click()
    desk.get_by_role("button", name=re.compile("5 people")).click()
    expect(desk.get_by_text("Scheduled for")).to_be_visible()
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.send_at) == ("scheduled", datetime(2099, 5, 4, 8, 30, tzinfo=UTC))


def read_them(site: str, sink: ScriptedServer) -> None:
    """Alice opens twice and clicks, Bob opens, a scanner opens Xiaoming's, Dora leaves."""
    time.sleep(LOOKING_SECONDS)
    letters = letters_of(sink, site)
    alice, bob, dora = (letters[name] for name in ("alice@example.com", "bob@example.com", "DORA@example.com"))
    assert [visit(alice.pixel), visit(alice.pixel), visit(bob.pixel), visit(letters[XIAOMING].pixel, SCANNER)] == [
        200
    ] * 4
    assert visit(alice.clicks[0]) == 302
    assert visit(dora.one_click) == 200
    assert Event.objects.filter(kind="unsubscribed").count() == 0, "GET must change nothing"
    assert leave_with_one_click(dora) == 200


def check_report(desk: Page) -> None:
    until(lambda: Event.objects.filter(kind__in=("opened", "clicked", "unsubscribed")).count() >= 6)
    desk.reload()
    figures = desk.locator("dl.stats").first
    for label, number in (("Delivered", 4), ("Opened", 2), ("Clicked", 1), ("Bounced", 1), ("Unsubscribed", 1)):
        expect(figures.locator("div", has_text=label).locator("dd").first).to_have_text(re.compile(rf"^\s*{number}\b"))
    assert Subscription.objects.get(contact__email="DORA@example.com").state == "unsubscribed"
    desk.get_by_role("link", name="Count machines too").click()
    expect(figures.locator("div", has_text="Opened").locator("dd").first).to_have_text(re.compile(r"^\s*3\b"))
    assert MailingList.objects.get().name == "Newsletter"


def until(is_true: object, seconds: float = 60.0) -> None:
    assert callable(is_true)
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def now() -> datetime:
    return datetime.now(UTC)
