"""Sending domains: what to publish, what is live by a real name server, keys that rotate, advice before sending."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Brand
from delivery.dkim import dns_strings
from delivery.models import DkimKey, DomainCheck, ProviderAccount, Route, RouteMember, SourceAddress
from delivery.port import Port
from delivery.providers.dns_check import Finding, Level
from delivery.providers.dns_lookup import Lookup
from delivery.views import domains
from tests.delivery.factories import make_account, make_brand, make_campaign, make_list, make_route
from tests.delivery.providers import name_server

pytestmark = pytest.mark.django_db
Zone = dict[tuple[str, str], list[str]]

DOMAIN = "news.acme.example"
LIVE: Zone = {
    ("bounce.acme.example", "TXT"): ['"v=spf1 include:spf.mailzos.com ~all"'],
    ("spf.mailzos.com", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    ("bounce.acme.example", "MX"): ["10 mail.acme.example."],
    ("_dmarc.acme.example", "TXT"): ['"v=DMARC1; p=reject"'],
    ("mail.acme.example", "A"): ["192.0.2.1"],
}


@pytest.fixture(autouse=True)
def _origin(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_ORIGIN, settings.HTTPS = "https://mail.acme.example", True
    monkeypatch.setattr(domains, "visit_https", lambda origin: Finding("HTTPS", Level.OK, f"{origin} answers."))


@pytest.fixture
def olga(client: Client) -> Client:
    user = User.objects.create_superuser("olga", "olga@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def brand() -> Brand:
    make_route(make_account(host="smtp.aoksend.com", port=587))
    return make_brand()


@contextmanager
def dns(monkeypatch: pytest.MonkeyPatch, zone: Zone) -> Iterator[Lookup]:
    with name_server.serving(zone) as lookup:
        monkeypatch.setattr(domains, "system_lookup", lambda: lookup)
        yield lookup


def published(key: DkimKey) -> Zone:
    return {(key.name, "TXT"): [" ".join(f'"{part}"' for part in dns_strings(key.record))]}


def check(client: Client, brand: Brand) -> list[tuple[str, str]]:
    assert client.post(f"/admin/delivery/dkimkey/{brand.pk}/check/").status_code == 302
    return [(row["topic"], row["level"]) for row in DomainCheck.objects.get(brand=brand).findings]


def add_key(client: Client, brand: Brand, kind: str = "rsa") -> DkimKey:
    assert client.post(f"/admin/delivery/dkimkey/{brand.pk}/keys/", {"kind": kind}).status_code == 302
    return DkimKey.objects.latest("pk")


def act(client: Client, brand: Brand, key: DkimKey, deed: str, **data: str) -> str:
    path = f"/admin/delivery/dkimkey/{brand.pk}/keys/{key.pk}/{deed}/"
    page = client.post(path, data, follow=True)
    key.refresh_from_db()
    return page.content.decode()


def states() -> list[str]:
    return list(DkimKey.objects.order_by("pk").values_list("state", flat=True))


def test_before_any_check_the_page_says_what_to_publish(olga: Client, brand: Brand) -> None:
    page = olga.get(f"/admin/delivery/dkimkey/{brand.pk}/").content.decode()
    assert "v=spf1 include:spf.mailzos.com ~all" in page
    assert "10 mail.acme.example" in page
    assert "v=DMARC1; p=none" in page
    assert "Not checked yet" in page
    assert DomainCheck.objects.count() == 0
    assert "Not checked yet" in olga.get("/admin/delivery/dkimkey/").content.decode()


def test_a_check_asks_dns_and_keeps_what_it_said_with_the_time(
    olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dns(monkeypatch, LIVE):
        found = check(olga, brand)
    assert found == [
        ("SPF", "ok"),
        ("DKIM", "warning"),
        ("DMARC", "ok"),
        ("MX", "ok"),
        ("Links", "ok"),
        ("HTTPS", "ok"),
    ]
    assert timezone.now() - DomainCheck.objects.get().checked_at < timedelta(minutes=1)
    with dns(monkeypatch, {}):
        found = check(olga, brand)
    assert found == [
        ("SPF", "failure"),
        ("DKIM", "warning"),
        ("DMARC", "failure"),
        ("MX", "failure"),
        ("Links", "failure"),
        ("HTTPS", "ok"),
    ]
    assert DomainCheck.objects.count() == 1


def test_a_key_is_made_published_seen_and_switched_to(
    olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add_key(olga, brand)
    assert (key.domain, key.state, key.live_at) == (DOMAIN, "waiting", None)
    assert "is not live yet" in act(olga, brand, key, "activate")
    assert states() == ["waiting"]
    with dns(monkeypatch, {**LIVE, **published(key)}):
        assert ("DKIM", "ok") in check(olga, brand)
    assert "signs within a minute" in act(olga, brand, key, "activate")
    assert states() == ["active"]


def test_another_key_at_the_selector_is_not_ours(olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = add_key(olga, brand), add_key(olga, brand)
    assert ours.selector != other.selector
    act(olga, brand, ours, "activate", unseen="on")
    zone = {**LIVE, (ours.name, "TXT"): published(other)[other.name, "TXT"]}
    with dns(monkeypatch, zone):
        assert ("DKIM", "failure") in check(olga, brand)
    ours.refresh_from_db()
    assert ours.live_at is None
    assert "is not the one that we sign with" in olga.get(f"/admin/delivery/dkimkey/{brand.pk}/").content.decode()


def test_a_rotation_retires_the_old_key_and_can_be_taken_back(olga: Client, brand: Brand) -> None:
    old, new = add_key(olga, brand), add_key(olga, brand)
    short = add_key(olga, brand, "ed25519")
    for key in (old, short, new):
        act(olga, brand, key, "activate", unseen="on")
    assert states() == ["retired", "active", "active"]
    act(olga, brand, old, "activate", unseen="on")
    assert states() == ["active", "retired", "active"]
    assert "signs already" in act(olga, brand, old, "activate", unseen="on")
    assert "This key signs mail" in act(olga, brand, old, "delete")
    act(olga, brand, short, "retire")
    assert states() == ["active", "retired", "retired"]


def test_a_broken_name_server_is_no_verdict(olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_route(make_account(host="smtp.aoksend.com"))
    brand = make_brand("Broken")
    Brand.objects.update(from_email="x@news.broken.example", bounce_domain="b.broken.example")
    brand.refresh_from_db()
    key = add_key(olga, brand)
    act(olga, brand, key, "activate", unseen="on")
    DkimKey.objects.update(live_at=timezone.now())
    with dns(monkeypatch, {("mail.acme.example", "A"): ["192.0.2.1"]}):
        assert {level for topic, level in check(olga, brand) if topic not in ("Links", "HTTPS")} == {"unknown"}
    key.refresh_from_db()
    assert key.live_at is not None
    assert advice(brand) == []


def test_the_private_key_is_on_no_page(olga: Client, brand: Brand) -> None:
    key = add_key(olga, brand)
    page = olga.get(f"/admin/delivery/dkimkey/{brand.pk}/").content.decode()
    assert key.record in page
    assert "PRIVATE KEY" not in page
    assert re.sub(r"\s|-----[A-Z ]+-----", "", key.secrets["private_key"])[:40] not in page


def test_looking_is_not_changing(client: Client, brand: Brand) -> None:
    user = User.objects.create_user("vera", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dkimkey"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/admin/delivery/dkimkey/{brand.pk}/").status_code == 200
    assert client.post(f"/admin/delivery/dkimkey/{brand.pk}/keys/", {"kind": "rsa"}).status_code == 403
    assert client.get(f"/admin/delivery/dkimkey/{brand.pk}/check/").status_code == 405
    assert DkimKey.objects.count() == 0


def advice(brand: Brand) -> list[str]:
    campaign = Campaign.objects.filter(brand=brand).first() or make_campaign(make_list(brand))
    problems = Port().launch_problems(campaign)
    assert not any(problem.blocking for problem in problems)
    return [problem.message for problem in problems]


def test_the_review_advises_where_the_last_check_failed(
    olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert advice(brand) == [f"Nobody has checked yet what DNS says about {DOMAIN}."]
    with dns(monkeypatch, LIVE):
        check(olga, brand)
    assert advice(brand) == []
    with dns(monkeypatch, {key: value for key, value in LIVE.items() if "_dmarc" not in key[0]}):
        check(olga, brand)
    (words,) = advice(brand)
    assert f"{DOMAIN} was not ready (DMARC): {DOMAIN} has no DMARC record" in words


def test_a_provider_api_asks_for_its_own_spf_at_the_from_domain(
    olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ProviderAccount.objects.create(name="SES", kind="amazon_ses")
    RouteMember.objects.create(route=Route.objects.get(), account=api)
    with dns(monkeypatch, {**LIVE, ("amazonses.com", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"']}):
        check(olga, brand)
    rows = DomainCheck.objects.get().findings
    wanted = [(row["used_by"], row["name"], row["value"]) for row in rows if row["topic"] == "SPF" and row["value"]]
    assert wanted == [("SES", DOMAIN, "v=spf1 include:amazonses.com ~all")]


def test_the_tracking_host_of_the_brand_is_visited(olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    Brand.objects.update(tracking_origin="https://链接.example")
    with dns(monkeypatch, LIVE):
        check(olga, brand)
    (row,) = [row for row in DomainCheck.objects.get().findings if row["topic"] == "HTTPS"]
    assert (row["words"], row["used_by"]) == (
        "https://xn--gzu811i.example answers.", "Links, pixels, unsubscribe pages",
    )  # fmt: skip
    assert "https://xn--gzu811i.example answers." in olga.get(f"/admin/delivery/dkimkey/{brand.pk}/").content.decode()


def test_an_own_server_whose_address_is_not_known_is_said_so(
    olga: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(host="mta.acme.example")
    RouteMember.objects.create(route=Route.objects.get(), account=account)
    with dns(monkeypatch, LIVE):
        assert ("PTR", "warning") in check(olga, brand)
        page = olga.get(f"/admin/delivery/dkimkey/{brand.pk}/").content.decode()
        assert f"Which address mail of {account.name} leaves from is not known here" in page
        SourceAddress.objects.create(account=account, address="192.88.99.7")
        found = check(olga, brand)
    assert ("PTR", "warning") not in found
    assert ("PTR", "failure") in found  # no such record in this zone: it was looked for
