"""Adding a provider: the first account can send at once, secrets are never shown, the server's words are."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from delivery.models import ProviderAccount, Route
from delivery.providers import PROVIDERS
from delivery.providers.presets import SMTP_PRESETS
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db

ANSWERS = {
    "name": "Relay",
    "enabled": "on",
    "host": "127.0.0.1",
    "tls": "none",
    "username": "",
    "password": "",
    "max_connections": "5",
    "messages_per_connection": "100",
    "quota_timezone": "UTC",
}


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        User.objects.create_superuser("olga", "olga@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


@pytest.mark.parametrize("choice", ["smtp", *(f"smtp:{key}" for key in SMTP_PRESETS), *PROVIDERS])
def test_every_way_of_sending_has_a_form(operator: Client, choice: str) -> None:
    assert operator.get(f"/admin/delivery/provideraccount/new/{choice}/").status_code == 200


def test_an_unknown_provider_is_not_found(operator: Client) -> None:
    assert operator.get("/admin/delivery/provideraccount/new/pigeon/").status_code == 404


def test_the_first_account_comes_with_the_default_route(operator: Client) -> None:
    response = operator.post("/admin/delivery/provideraccount/new/smtp/", ANSWERS | {"port": "25"})
    account = ProviderAccount.objects.get()
    assert response.headers["Location"] == f"/admin/delivery/provideraccount/{account.pk}/change/"
    assert (account.options["host"], account.options["port"], account.max_connections) == ("127.0.0.1", 25, 5)
    assert [list(route.accounts.all()) for route in Route.objects.filter(is_default=True)] == [[account]]


def test_a_password_is_kept_when_left_empty_and_never_shown(operator: Client) -> None:
    operator.post(
        "/admin/delivery/provideraccount/new/smtp/", ANSWERS | {"port": "25", "username": "u", "password": "s3cret"}
    )
    account = ProviderAccount.objects.get()
    page = operator.get(f"/admin/delivery/provideraccount/{account.pk}/change/").content.decode()
    assert "s3cret" not in page
    operator.post(f"/admin/delivery/provideraccount/{account.pk}/change/", ANSWERS | {"port": "26"})
    account.refresh_from_db()
    assert (account.secrets, account.options["port"]) == ({"username": "u", "password": "s3cret"}, 26)


def test_a_password_in_clear_to_another_machine_is_refused(operator: Client) -> None:
    answers = ANSWERS | {"port": "25", "host": "relay.example.com", "password": "x"}
    page = operator.post("/admin/delivery/provideraccount/new/smtp/", answers).content.decode()
    assert "must not travel without encryption" in page
    assert not ProviderAccount.objects.exists()


def test_the_connection_test_says_what_the_server_said(operator: Client) -> None:
    with in_thread(ScriptedServer()) as server:
        operator.post("/admin/delivery/provideraccount/new/smtp/", ANSWERS | {"port": str(server.port)})
        account = ProviderAccount.objects.get()
        good = operator.post(f"/admin/delivery/provideraccount/{account.pk}/test/", follow=True).content.decode()
        server.rules.append(On("CONNECT", reply="554 5.7.1 you are not welcome here"))
        bad = operator.post(f"/admin/delivery/provideraccount/{account.pk}/test/", follow=True).content.decode()
    assert "Relay is ready for mail" in good
    assert "you are not welcome here" in bad


def test_a_get_tests_nothing(operator: Client) -> None:
    operator.post("/admin/delivery/provideraccount/new/smtp/", ANSWERS | {"port": "25"})
    account = ProviderAccount.objects.get()
    assert operator.get(f"/admin/delivery/provideraccount/{account.pk}/test/").status_code == 405
