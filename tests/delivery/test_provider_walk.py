"""Adding a provider as a new user does: pick, paste, test, send a message; the server's own words when it fails."""

from __future__ import annotations

import html
import json
from typing import Any

import dkim
import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from campaigns.models import Campaign, Variant
from contacts.models import Brand, Contact
from delivery.dkim import KeyKind
from delivery.models import ProviderAccount, Route
from delivery.port import Port
from delivery.progress import Progress, progress_of
from delivery.providers import PROVIDERS
from delivery.providers.fakes import FAKES, HttpRequest, Reply
from delivery.providers.fakes.dialect import FakeProvider
from delivery.services.dkim_keys import activate_dkim_key, add_dkim_key
from delivery.services.testing import send_test_messages
from tests.delivery.factories import NOW, make_account, make_brand, make_campaign, make_list, make_readers, make_route
from tests.delivery.providers.test_network import answering
from tests.delivery.sending.draining import launch_and_drain
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

COMMON = {"enabled": "on", "max_connections": "2", "messages_per_connection": "100", "quota_timezone": "UTC"}


@pytest.fixture(autouse=True)
def _open_network(settings: Any) -> None:
    settings.PROVIDERS_ON_PRIVATE_NETWORKS = True
    settings.PUBLIC_ORIGIN, settings.HTTPS = "https://mail.acme.example", True


@pytest.fixture
def olga(client: Client) -> Client:
    user = User.objects.create_superuser("olga", "olga@example.com", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def brand() -> Brand:
    return make_brand()


def add(client: Client, choice: str, **answers: str) -> ProviderAccount:
    """The form of a new account, filled in; its defaults stay."""
    page = client.get(f"/admin/delivery/provideraccount/new/{choice}/")
    initial = page.context["form"].initial | {
        name: field.initial for name, field in page.context["form"].fields.items() if field.initial is not None
    }
    given = {name: str(value) for name, value in initial.items() if value is not None and value is not False}
    saved = client.post(f"/admin/delivery/provideraccount/new/{choice}/", {**COMMON, **given, **answers})
    assert saved.status_code == 302, saved.context["form"].errors
    return ProviderAccount.objects.latest("pk")


def press(client: Client, account: ProviderAccount, button: str, **data: object) -> str:
    page = client.post(f"/admin/delivery/provideraccount/{account.pk}/{button}/", data, follow=True)
    assert page.status_code == 200
    return "\n".join(map(str, page.context["messages"]))


def advice(campaign: Campaign) -> list[str]:
    return [problem.message for problem in Port().launch_problems(campaign) if problem.blocking]


def test_an_smtp_preset_from_the_list_to_a_signed_message(olga: Client, brand: Brand) -> None:
    key = activate_dkim_key(add_dkim_key(brand.sending_domain, KeyKind.RSA, now=NOW).pk, unseen=True, now=NOW)
    assert "AokSend" in olga.get("/admin/delivery/provideraccount/add/").content.decode()
    with in_thread(ScriptedServer()) as server:
        account = add(
            olga, "smtp:aoksend", host="127.0.0.1", port=str(server.port), tls="none", username="", password=""
        )
        assert "is ready for mail" in press(olga, account, "test")
        said = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
        assert "Sent to olga@example.org. The server said: 250" in said
        server.rules.append(On("RCPT", reply="550 5.7.1 <x>: sender not verified in your console"))
        refused = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
    assert "Not sent to olga@example.org. The server said: 550 5.7.1" in refused
    assert "sender not verified in your console" in refused
    (received,) = server.received
    assert dkim.verify(received.data, dnsfunc=lambda _name, **_: key.record.encode())
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in received.data


def add_api(client: Client, kind: str, fake: FakeProvider, **answers: str) -> ProviderAccount:
    """The same for a provider's API, which is then at the fake's address; no form asks for that."""
    asked = {field.name for field in PROVIDERS[kind].fields}
    settings = {name: str(value) for name, value in fake.settings.items() if name in asked}
    account = add(client, kind, **{**settings, **fake.credentials, **answers})
    account.options |= fake.settings
    account.save()
    return account


@pytest.mark.parametrize("kind", ["resend", "postmark", "alibaba"])
def test_a_provider_api_from_the_form_to_an_accepted_message(olga: Client, brand: Brand, kind: str) -> None:
    with FakeProvider(FAKES[kind]()) as fake:
        account = add_api(olga, kind, fake)
        said = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
        again = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
    assert "Sent to olga@example.org. The server said:" in said
    assert "Sent to olga@example.org." in again
    assert [sent.recipient for sent in fake.sent] == ["olga@example.org"] * 2
    assert all("Unsubscribe" in sent.html for sent in fake.sent)


def test_a_wrong_key_is_said_in_the_providers_own_words(olga: Client, brand: Brand) -> None:
    with FakeProvider(FAKES["resend"]()) as fake:
        account = add_api(olga, "resend", fake, api_key="re_wrong")
        said = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
    assert "Not sent to olga@example.org. The server said: 40" in said
    assert fake.sent == []


def test_aoksend_sends_its_template_and_is_refused_for_campaigns_in_words(olga: Client, brand: Brand) -> None:
    with FakeProvider(FAKES["aoksend"]()) as fake:
        account = add_api(olga, "aoksend", fake, variables="name = first_name")
        assert "Balance" in press(olga, account, "test")
        assert "Sent to olga@example.org." in press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
    assert [sent.recipient for sent in fake.sent] == ["olga@example.org"]
    campaign = make_campaign(make_list(brand), state="draft")
    assert advice(campaign) == [
        "AokSend (template API) cannot carry a List-Unsubscribe header per recipient, which Gmail and Yahoo require of"
        " bulk mail. Add a provider with its SMTP relay, or choose another route.",
        "AokSend (template API) sends only templates approved in its console, not a campaign's own design. Choose"
        " a route that takes HTML.",
        "AokSend (template API) binds the From address to the account; the campaign's own sender would be ignored.",
    ]
    page = html.unescape(olga.get(f"/admin/campaigns/campaign/{campaign.pk}/review/").content.decode())
    assert "cannot carry a List-Unsubscribe header per recipient" in page


def test_a_described_api_from_the_form_to_a_campaign(olga: Client, brand: Brand, redis: Redis) -> None:
    news = make_list(brand)
    make_readers(3, news)
    with answering(Reply(200, {"status": "ok", "id": "m-1"})) as (server, seen):
        account = add(
            olga,
            "generic_http",
            url=server.url + "/send",
            secret="s3cret",
            success_path="status",
            success_value="ok",
            id_path="id",
        )
        said = press(olga, account, "trial", to="olga@example.org", brand=brand.pk)
        campaign = make_campaign(news)
        assert advice(campaign) == []
        launch_and_drain(campaign, Route.objects.get(), redis)
    assert "Sent to olga@example.org. The server said: 200 (id m-1)" in said
    assert progress_of(campaign.pk) == Progress(accepted=3)
    assert sorted(_recipient(request) for request in seen[1:]) == sorted(
        Contact.objects.values_list("email", flat=True)
    )
    assert len({_unsubscribe(request) for request in seen}) == 4


def _recipient(request: HttpRequest) -> str:
    return str(json.loads(request.body)["to"][0]["email"])


def _unsubscribe(request: HttpRequest) -> str:
    return str(json.loads(request.body)["headers"]["List-Unsubscribe"])


def test_a_described_api_without_the_unsubscribe_header_is_refused(olga: Client, brand: Brand) -> None:
    add(olga, "generic_http", url="https://api.example.com/send", body='{"to": "{{recipient}}", "html": "{{html}}"}')
    words = advice(make_campaign(make_list(brand)))
    assert words[0].startswith("Any HTTP API cannot carry a List-Unsubscribe header per recipient")
    assert words[1:] == [
        "Any HTTP API binds the From address to the account; the campaign's own sender would be ignored."
    ]


def test_a_body_that_is_no_json_is_refused_at_the_form(olga: Client) -> None:
    answers = {**COMMON, "name": "x", "url": "https://api.example.com/", "body": "{", "success_codes": "200"}
    answers |= {"method": "POST", "auth": "none", "body_format": "json"}
    page = olga.post("/admin/delivery/provideraccount/new/generic_http/", answers).content.decode()
    assert "The body is not JSON" in page
    assert not ProviderAccount.objects.exists()


def test_a_test_message_of_a_campaign_goes_through_an_api_route_too(brand: Brand) -> None:
    with FakeProvider(FAKES["resend"]()) as fake:
        account = ProviderAccount.objects.create(
            name="resend", kind="resend", options=fake.settings, secrets=fake.credentials
        )
        make_route(account)
        variant = Variant.objects.get(campaign=make_campaign(make_list(brand)))
        results = send_test_messages(variant.pk, contact_id=None, to=["alice@example.org", "bob@example.org"])
    assert [result.ok for result in results] == [True, True]
    assert [sent.recipient for sent in fake.sent] == ["alice@example.org", "bob@example.org"]
    assert {sent.subject[:6] for sent in fake.sent} == {"[Test]"}


def test_a_lost_encryption_key_is_said_on_every_page_and_stops_the_launch(
    olga: Client, brand: Brand, settings: Any
) -> None:
    account = make_account(secrets={"username": "u", "password": "p"})
    make_route(account)
    campaign = make_campaign(make_list(brand))
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    words = "Stored secrets cannot be read with the present FIELD_ENCRYPTION_KEYS."
    path = f"/admin/delivery/provideraccount/{account.pk}/change/"
    page = olga.get(path)
    assert (page.status_code, words in page.content.decode()) == (200, True)
    assert words in press(olga, account, "test")
    assert words in press(olga, account, "trial", to="a@example.org", brand=brand.pk)
    assert olga.get("/admin/delivery/provideraccount/").status_code == 200
    assert advice(campaign) == [f"“{account}” cannot send: {words}"]
    answers = {**COMMON, "name": account.name, "host": "127.0.0.1", "port": "25", "tls": "none", "username": "v"}
    assert olga.post(path, answers).status_code == 302
    assert ProviderAccount.objects.get(pk=account.pk).secrets == {"username": "v"}


@pytest.mark.parametrize(
    ("choice", "limits"),
    [
        ("smtp:gmail", {"messages_per_day": 500, "max_connections": 2}),
        ("smtp:google_workspace", {"messages_per_day": 10_000}),
        ("smtp:microsoft_365", {"messages_per_minute": 30, "messages_per_day": 10_000, "max_connections": 3}),
        ("smtp:resend", {"messages_per_second": 2}),
        ("smtp:alibaba", {"messages_per_second": 27}),
        ("amazon_ses", {"messages_per_second": 14}),
        ("tencent", {"messages_per_second": 20, "messages_per_day": 500}),
        ("mailgun", {}),
    ],
)
def test_known_limits_are_filled_in(olga: Client, choice: str, limits: dict[str, int]) -> None:
    initial = olga.get(f"/admin/delivery/provideraccount/new/{choice}/").context["form"].initial
    found = {name: initial[name] for name in initial if name.startswith("messages_per_") and "connection" not in name}
    assert {**found, **{name: initial[name] for name in limits}} == limits


def test_two_accounts_of_one_provider_keep_their_own_secrets(olga: Client) -> None:
    first = add(olga, "resend", name="Resend EU", api_key="re_one")
    second = add(olga, "resend", name="Resend US", api_key="re_two")
    assert [account.secrets["api_key"] for account in (first, second)] == ["re_one", "re_two"]


@pytest.mark.parametrize("kind", ["smtp", "resend", "generic_http"])
def test_no_page_of_an_account_fails_without_the_encryption_key(olga: Client, settings: Any, kind: str) -> None:
    options = {"host": "127.0.0.1", "port": 25, "tls": "none"}
    account = ProviderAccount.objects.create(
        name="x", kind=kind, options=options, secrets={"api_key": "k"}, hook_secrets={"current": "s"}
    )
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    pages = ["", f"{account.pk}/change/", "add/", f"new/{'smtp' if kind == 'smtp' else kind}/"]
    found = [olga.get(f"/admin/delivery/provideraccount/{page}").status_code for page in pages]
    assert found == [200, 200, 200, 200]
