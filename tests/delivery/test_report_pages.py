"""The report, its recipients and its CSV: exact figures, people and machines apart, the same queries for any size."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.deliverability import complaint_tone, leaving_of, routes_of, sites_of
from delivery.events import NewEvent, append_events
from delivery.models import Batch, Deferral, Link, Message, OutcomeRow, ProviderAccount, Route
from delivery.partitions import ensure_event_partitions
from delivery.services.planning import plan_next_campaign
from tests.campaigns.views.reading import faults, page_of, texts
from tests.delivery.factories import make_account, make_list, make_preparing, make_readers, make_route

pytestmark = pytest.mark.django_db
SINCE = datetime.now(UTC) - timedelta(days=1)
FIREFOX = "Mozilla/5.0 Firefox/132.0"


@pytest.fixture
def maria() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("maria", "maria@example.com", "pw"))
    return client


def sent_campaign(**readers: int) -> tuple[Campaign, ProviderAccount]:
    """A finished campaign that one account took wholly; readers by domain (example_org=3)."""
    ensure_event_partitions(datetime.now(UTC))
    account, news = make_account(), make_list()
    make_route(account)
    for domain, n in readers.items():
        make_readers(n, news, domain=domain.replace("_", "."))
    campaign = make_preparing(news)
    plan_next_campaign(now=datetime.now(UTC))
    for message in Message.objects.filter(campaign_id=campaign.pk):
        settle(message, 1, account)
    for batch in Batch.objects.filter(campaign_id=campaign.pk):
        n = batch.n_messages
        Batch.objects.filter(pk=batch.pk).update(state="finished", n_begun=n, n_accepted=n)
    Campaign.objects.filter(pk=campaign.pk).update(state="finished", launched_at=SINCE, finished_at=SINCE)
    campaign.refresh_from_db()
    return campaign, account


def settle(message: Message, result: int, account: ProviderAccount, **values: Any) -> None:
    place = {"campaign_id": message.campaign_id, "batch_id": message.batch_id, "position": message.position}
    OutcomeRow.objects.filter(**place).delete()
    defaults: dict[str, Any] = {"code": 250, "enhanced": "", "reply": "", "provider_id": "", "at": SINCE}
    OutcomeRow.objects.create(
        **place, contact_id=message.contact_id, result=result, account_id=account.pk, **(defaults | values)
    )


def happen(campaign: Campaign, contact: Contact, kind: str, **values: Any) -> None:
    at = SINCE + timedelta(hours=1)
    event = NewEvent(kind, uuid.uuid4(), at, campaign_id=campaign.pk, contact_id=contact.pk, **values)
    append_events([event], now=at)


def readers_at(domain: str) -> list[Contact]:
    return list(Contact.objects.filter(domain=domain).order_by("pk"))


def address(campaign: Campaign, page: str = "") -> str:
    return f"/admin/delivery/reports/{campaign.pk}/{page}"


def test_each_mailbox_provider_has_its_own_figures_for_people(maria: Client) -> None:
    campaign, _ = sent_campaign(gmail_com=4, example_org=2)
    one, two, three, _four = readers_at("gmail.com")
    happen(campaign, one, "opened", verdict="human")
    happen(campaign, two, "opened", verdict="machine")
    happen(campaign, two, "clicked", verdict="machine")
    happen(campaign, three, "complained")
    happen(campaign, three, "bounced", bounce_kind="hard")
    lines = sites_of(campaign.pk, since=SINCE, machines=False)
    assert [(s.site, s.n_sites, s.n_total, s.n_accepted, s.n_bounced, s.n_complained) for s in lines] == [
        ("google", 1, 4, 4, 1, 1),
        ("example.org", 1, 2, 2, 0, 0),
    ]
    assert [(line.n_opened, line.n_clicked) for line in lines] == [(1, 0), (0, 0)]
    assert (lines[0].complaint_rate, lines[0].complaint_tone, lines[0].bounce_rate) == (25.0, "bad", 25.0)
    with_machines = sites_of(campaign.pk, since=SINCE, machines=True)
    assert [(line.n_opened, line.n_clicked) for line in with_machines] == [(2, 1), (0, 0)]


def test_small_providers_are_one_line_that_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.deliverability.N_SITES", 1)
    campaign, _ = sent_campaign(gmail_com=3, a_example=1, b_example=2)
    lines = sites_of(campaign.pk, since=SINCE, machines=False)
    assert [(line.n_sites, line.n_total, line.n_accepted) for line in lines] == [(1, 3, 3), (2, 3, 3)]


@pytest.mark.parametrize(
    ("rate", "tone"), [(0.0, ""), (0.099, ""), (0.1, "warn"), (0.299, "warn"), (0.3, "bad"), (5.0, "bad")]
)
def test_complaints_are_held_against_both_lines(rate: float, tone: str) -> None:
    assert complaint_tone(rate) == tone


def test_the_page_counts_people_and_with_the_switch_machines_too(maria: Client) -> None:
    campaign, _ = sent_campaign(example_org=4)
    one, two, *_ = readers_at("example.org")
    happen(campaign, one, "opened", verdict="human")
    happen(campaign, two, "opened", verdict="machine")

    def opened(query: str) -> list[str]:
        page = page_of(maria.get(address(campaign) + query))
        assert faults(page) == []
        return [text for text in texts(page, ".stat") if text.startswith("Opened")]

    assert opened("") == ["Opened 1 25.0 %"]
    assert opened("?machines=1") == ["Opened 2 50.0 %"]


def test_the_page_tells_how_each_account_did_and_by_which_route(maria: Client) -> None:
    campaign, account = sent_campaign(example_org=5)
    second = make_account()
    one, two, three, four, _ = Message.objects.filter(campaign_id=campaign.pk).order_by("position")
    settle(one, 3, account, code=550, reply="no such user")
    settle(two, 5, second)
    settle(three, 2, second)
    happen(campaign, Contact.objects.get(pk=four.contact_id), "complained")
    page = page_of(maria.get(address(campaign)))
    (table,) = page.cssselect("section[aria-labelledby=accounts-heading] table")
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in table.cssselect("tbody tr")]
    assert rows == [
        [account.name, "2", "0", "1", "0", "0", "1 50.00 %, 0.3 % reached"],
        [second.name, "0", "1", "0", "1", "0", "0"],
    ]
    assert routes_of(campaign.pk) == ["Route"]


def test_the_page_tells_why_mail_bounced_and_waited_in_the_servers_words(maria: Client) -> None:
    campaign, account = sent_campaign(example_org=3)
    one, two, three = Message.objects.filter(campaign_id=campaign.pk).order_by("position")
    for message in (one, two):
        contact = Contact.objects.get(pk=message.contact_id)
        happen(campaign, contact, "bounced", bounce_kind="hard", category="invalid_recipient", reply="550 <script>")
    Deferral.objects.create(
        campaign_id=campaign.pk, contact_id=three.contact_id, route=make_route(default=False), batch_id=three.batch_id,
        position=three.position, attempt=1, account=account, category="greylist", reply="451 try again",
        deferred_at=SINCE, due_at=SINCE,
    )  # fmt: skip
    page = page_of(maria.get(address(campaign)))
    shown = " ".join(texts(page, "#report"))
    assert "Invalid recipient hard 550 <script> 2" in shown
    assert "Greylist 1 waiting 451 try again 1" in shown
    assert page.cssselect("#report script:not([type='application/json'])") == []


def test_the_reasons_for_leaving_are_counted_with_some_words(maria: Client) -> None:
    campaign, _ = sent_campaign(example_org=4)
    for contact, why, words in zip(
        readers_at("example.org"), ("too_often", "too_often", "", "other"), ("Täglich!", "", "", "<b>"), strict=True
    ):
        happen(campaign, contact, "unsubscribed", verdict="human", details={"why": why, "reason": words})
    found = [(line.why, line.n_people, line.words) for line in leaving_of(campaign.pk, since=SINCE)]
    assert found == [("too_often", 2, ["Täglich!"]), ("", 1, []), ("other", 1, ["<b>"])]
    shown = texts(page_of(maria.get(address(campaign))), "section[aria-labelledby=leaving-heading]")
    assert "I get too many messages 2 Täglich!" in shown[0]
    assert "No reason given 1 –" in shown[0]


def test_the_log_of_one_recipient_says_what_happened_and_who_did_it(maria: Client) -> None:
    campaign, account = sent_campaign(example_org=1)
    (contact,) = readers_at("example.org")
    Link.objects.create(campaign_id=campaign.pk, index=3, url="https://shop.example/", label="The sale")
    happen(campaign, contact, "opened", verdict="human", verdict_reason="gmail-proxy", user_agent=FIREFOX)
    happen(campaign, contact, "clicked", verdict="machine", verdict_reason="click-burst", link_index=3)
    left = {"source": "one-click", "why": "too_often", "reason": "Enough"}
    happen(campaign, contact, "unsubscribed", verdict="human", details=left)
    page = page_of(maria.get(address(campaign, f"recipients/{contact.pk}/")))
    assert faults(page) == []
    notes = {row[1]: row[3] for row in ([c.text_content().strip() for c in r] for r in page.cssselect("tbody tr"))}
    assert notes == {
        "Accepted": f"by {account.name}",
        "Opened": f"a person (read in Gmail), {FIREFOX}",
        "Clicked": "a machine (one of three or more links followed within two seconds), The sale",
        "Unsubscribed": "by one-click, I get too many messages, Enough",
    }


def test_recipients_are_found_by_state_and_address_and_paged_by_key(maria: Client) -> None:
    campaign, account = sent_campaign(example_org=120)
    first = Message.objects.filter(campaign_id=campaign.pk).order_by("contact_id")[0]
    settle(first, 3, account, code=550, enhanced="5.1.1", reply="no such user")

    def shown(query: str) -> list[str]:
        page = page_of(maria.get(address(campaign, f"recipients/?{query}")))
        assert faults(page) == []
        return texts(page, "tbody th")

    everybody = [contact.email for contact in readers_at("example.org")]
    assert shown("") == everybody[:50]
    assert shown(f"after={readers_at('example.org')[49].pk}") == everybody[50:100]
    assert shown("state=refused") == everybody[:1]
    assert shown("state=pending") == []
    assert shown(f"q={everybody[7][:-9].upper()}") == [one for one in everybody if one.startswith(everybody[7][:-9])]
    assert shown("q=%25") == []
    assert shown("after=²") == everybody[:50]


def test_messages_without_an_outcome_are_waiting(maria: Client) -> None:
    campaign, _ = sent_campaign(example_org=2)
    one, two = Message.objects.filter(campaign_id=campaign.pk).order_by("contact_id")
    OutcomeRow.objects.filter(campaign_id=campaign.pk, position=one.position).delete()
    Batch.objects.filter(campaign_id=campaign.pk).update(state="pending", n_begun=0)
    for state in ("waiting", "pending", "claimed", "sending"):
        page = page_of(maria.get(address(campaign, f"recipients/?state={state}")))
        assert texts(page, "tbody th") == [Contact.objects.get(pk=one.contact_id).email]
    Batch.objects.filter(campaign_id=campaign.pk).update(state="finished")
    page = page_of(maria.get(address(campaign, "recipients/?state=cancelled")))
    assert texts(page, "tbody th") == [Contact.objects.get(pk=one.contact_id).email]
    assert two.contact_id != one.contact_id


def exported(client: Client, campaign: Campaign) -> tuple[str, list[list[str]]]:
    answer = client.get(address(campaign, "export.csv"))
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer).decode()
    return text, list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_csv_has_everybody_once_and_no_formulas(maria: Client) -> None:
    campaign, account = sent_campaign(example_org=1203)
    first, second = Message.objects.filter(campaign_id=campaign.pk).order_by("contact_id")[:2]
    settle(first, 3, account, code=550, enhanced="5.1.1", reply="=HYPERLINK(1)")
    settle(second, 3, account, reply="+1 ü", code=0)
    happen(campaign, Contact.objects.get(pk=second.contact_id), "clicked", verdict="machine")
    text, rows = exported(maria, campaign)
    assert text.startswith("\ufeffaddress,state,code,enhanced,reply,at,")
    assert [row[0] for row in rows[1:]] == [contact.email for contact in readers_at("example.org")]
    assert rows[1][1:5] == ["refused", "550", "5.1.1", "'=HYPERLINK(1)"]
    assert rows[2][1:5] == ["refused", "", "", "'+1 ü"]
    assert rows[2][-2:] == ["0", "1"]


def test_the_report_asks_the_same_number_of_questions_for_any_size(maria: Client) -> None:
    def n_queries(n: int) -> int:
        campaign, _ = sent_campaign(**{f"d{i}_example": 2 for i in range(n)}, gmail_com=n)
        for contact in Contact.objects.all()[:n]:
            happen(campaign, contact, "clicked", verdict="human", link_index=0)
        with CaptureQueriesContext(
            connection,
        ) as few:
            maria.get(address(campaign))
        Route.objects.update(is_default=False)
        return len(few)

    assert n_queries(2) == n_queries(30)


def test_who_may_not_see_contacts_sees_the_report_without_their_addresses() -> None:
    campaign, _ = sent_campaign(example_org=1)
    vera = User.objects.create_user("vera", "vera@example.com", "pw", is_staff=True)
    vera.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client = Client()
    client.force_login(vera)
    assert client.get(address(campaign)).status_code == 200
    for page in ("recipients/", "export.csv", f"recipients/{readers_at('example.org')[0].pk}/"):
        assert client.get(address(campaign, page)).status_code == 403
    assert client.post(address(campaign, "links/0/switch/")).status_code == 403
    assert readers_at("example.org")[0].email not in client.get(address(campaign)).content.decode()
