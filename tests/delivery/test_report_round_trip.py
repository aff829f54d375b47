"""Sent, bounced, opened, clicked, left: what comes back by its real ways, read off the report's page."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from lxml import html
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Brand
from delivery.models import Event
from delivery.partitions import ensure_event_partitions
from delivery.services.receiving import process_receipts, store_mail
from delivery.tracking import rules
from delivery.tracking.flushing import flush_hits
from deploy.demo.catcher.letter import Letter, read_letter
from tests.campaigns.views.reading import page_of
from tests.delivery.factories import make_account, make_campaign, make_contact, make_list, make_route, subscribe
from tests.delivery.inbound.mails import TOKEN, dsn
from tests.delivery.sending.draining import launch_and_drain
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)
SITE = "http://testserver"
FIREFOX, SCANNER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Firefox/132.0", "Barracuda Sentinel"
GONE = "550 5.1.1 <erin@gone.example>: Recipient address rejected: " + "User unknown in virtual mailbox table, " * 6
READERS = ("alice@example.com", "bob@example.com", "xiaoming@例子.example", "erin@gone.example", "dave@full.example")


def letters_of(server: ScriptedServer) -> dict[str, Letter]:
    """By the name before the @."""
    return {
        m.recipient.decode().partition("@")[0]: read_letter(
            m.data, recipient=m.recipient.decode(), return_path=m.sender.decode(), origin=SITE
        )
        for m in server.received
        if m.is_accepted
    }


def send(redis: Redis) -> tuple[Campaign, dict[str, Letter]]:
    ensure_event_partitions(datetime.now(UTC))
    news = make_list()
    Brand.objects.update(tracking_origin=SITE)
    for email in READERS:
        subscribe(make_contact(email), news)
    with in_thread(
        ScriptedServer(
            On(
                "RCPT",
                reply="550 5.2.1 The email account that you tried to reach is disabled",
                match=b"dave@full.example",
            )
        )
    ) as server:
        route = make_route(make_account(port=server.port))
        campaign = make_campaign(news)
        launch_and_drain(campaign, route, redis)
    return campaign, letters_of(server)


def bounce(letter: Letter) -> None:
    """Erin's server took it and sends it back an hour later, to the address that only this mail has."""
    token = re.search(r"[0-9a-f]{32}", letter.return_path)
    assert token is not None
    raw = dsn(diagnostic=f"smtp; {GONE}", recipient=letter.recipient).replace(TOKEN.encode(), token[0].encode())
    assert store_mail(raw, sender="", recipients=[letter.return_path], source="test")
    assert process_receipts(now=timezone.now()) == 1


def read(letters: dict[str, Letter], redis: Redis) -> None:
    """Alice opens twice and clicks, Bob opens, a scanner follows Xiaoming's link, Bob leaves."""
    person, scanner = (Client(headers={"user-agent": agent}) for agent in (FIREFOX, SCANNER))
    for _ in range(2):
        assert person.get(letters["alice"].pixel).status_code == 200
    assert person.get(letters["alice"].clicks[0]).status_code == 302
    assert person.get(letters["bob"].pixel).status_code == 200
    assert scanner.get(letters["xiaoming"].clicks[0]).status_code == 302
    assert flush_hits(redis, now=timezone.now()) == 5
    assert person.post(letters["bob"].one_click, {"List-Unsubscribe": "One-Click"}).status_code == 200


def figures(page: html.HtmlElement) -> dict[str, str]:
    return {
        div.cssselect("dt")[0].text_content().strip(): div.cssselect("dd")[0].text_content().split()[0]
        for div in page.cssselect("dl.stats > div")
    }


def rows(page: html.HtmlElement, heading: str) -> dict[str, list[str]]:
    """The cells of the table below a heading, by what the row is about."""
    (section,) = page.cssselect(f"section[aria-labelledby={heading}]")
    return {
        " ".join(row.cssselect("th")[0].text_content().split()): [
            " ".join(cell.text_content().split()) for cell in row.cssselect("td")
        ]
        for row in section.cssselect("tbody tr")
    }


def test_what_came_back_stands_on_the_report(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.tracking.verdicts.TIMED", ())  # readers of this test do not wait two seconds
    assert [rule.key for rule in rules.RULES if rule.field == "age"] == ["too-soon"]
    campaign, letters = send(redis)
    assert sorted(letters) == ["alice", "bob", "erin", "xiaoming"]
    bounce(letters["erin"])
    read(letters, redis)

    maria = Client()
    maria.force_login(User.objects.create_superuser("maria", "maria@example.com", "pw"))
    address = f"/admin/delivery/reports/{campaign.pk}/"
    page = page_of(maria.get(address))
    assert figures(page) == {
        "Delivered": "3", "Opened": "2", "Clicked": "1", "Bounced": "2", "Unsubscribed": "1", "Complaints": "0",
    }  # fmt: skip
    with_machines = figures(page_of(maria.get(f"{address}?machines=1")))
    assert (with_machines["Opened"], with_machines["Clicked"]) == ("2", "2")

    sites = rows(page, "sites-heading")
    assert {site: cells[0] for site, cells in sites.items()} == {
        "example.com": "2", "例子.example": "1", "gone.example": "1", "full.example": "1",
    }  # fmt: skip
    assert [span.get("title") for span in page.cssselect("#content span[title], main span[title]")].count(
        "xn--fsqu00a.example"
    ) == 1
    bounces = {reason.partition(" 550 ")[0]: cells for reason, cells in rows(page, "bounces-heading").items()}
    assert bounces == {"Invalid recipient hard": ["1"], "Inactive mailbox soft": ["1"]}
    assert GONE.strip() in page.cssselect("details.words code")[0].text_content()
    assert page.cssselect("details.words [data-copy]")[0].get("data-copy").endswith(GONE.strip())
    links = rows(page, "links-heading")
    assert [cells[:1] for cells in links.values()] == [["1"]]
    assert Event.objects.filter(kind="clicked").count() == 2
