"""Pages and API while PostgreSQL or Redis is stopped: 503 in words at once, and all as before when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from deploy import outages
from tests.faults.stage import Stage, reconnect

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
ACCOUNTS = "/admin/delivery/provideraccount/"


@pytest.fixture
def operator(theatre: Stage) -> Iterator[Client]:
    """Logged in, on servers that this module may stop; errors are answered as in production."""
    client = Client(raise_request_exception=False)
    user, _ = User.objects.get_or_create(username="olga", is_staff=True, is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    yield client
    theatre.servers.start()
    reconnect()


def test_without_postgresql_people_and_programs_are_told_and_served_again(theatre: Stage, operator: Client) -> None:
    assert operator.get(ACCOUNTS).status_code == 200
    theatre.servers.postgres.stop()
    reconnect()
    outages._seen.at = float("-inf")
    page = operator.get(ACCOUNTS)
    assert (page.status_code, page["Retry-After"]) == (503, "10")
    words = page.content.decode()
    assert "<h1>" in words
    for part in ("The database does not answer", "goes on by itself", "Whether PostgreSQL runs"):
        assert part in words
    for path in ("/admin/", "/admin/login/", "/admin/delivery/health/", "/admin/campaigns/campaign/"):
        assert operator.get(path).status_code == 503, path
    answer = operator.post("/api/v1/profiles/bulk", {"profiles": []}, content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer.json() == {
        "error": "The database does not answer. Nothing was changed; send the request again.",
        "code": "unavailable",
    }
    hook = operator.post("/hooks/stores/0b6f0d5e-5a0e-4f4e-9b52-000000000000", {}, content_type="application/json")
    assert (hook.status_code, hook["Content-Type"]) == (503, "text/plain")
    theatre.servers.postgres.start()
    assert operator.get(ACCOUNTS).status_code == 200


def test_a_database_that_goes_between_the_question_and_the_page_is_an_outage_too(
    theatre: Stage, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "TRUSTED_SECONDS", 3600.0)
    assert operator.get(ACCOUNTS).status_code == 200
    theatre.servers.postgres.stop()
    assert operator.get(ACCOUNTS).status_code == 503
    connection.close()  # as at the end of each request outside of tests
    theatre.servers.postgres.start()
    assert operator.get(ACCOUNTS).status_code == 200


def test_without_redis_pages_that_need_it_say_so_and_the_others_are_shown(
    theatre: Stage, operator: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AxesProxyHandler, "implementation", None)  # it keeps the cache that it met first
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": theatre.servers.redis_url}}
    credentials = {"username": "olga", "password": "wrong"}
    theatre.servers.redis.stop()
    assert operator.get(ACCOUNTS).status_code == 200
    assert "Redis does not answer" in operator.get("/admin/delivery/health/").content.decode()
    login = Client(raise_request_exception=False).post("/admin/login/", credentials)
    assert (login.status_code, login["Retry-After"]) == (503, "10")
    assert "Redis does not answer" in login.content.decode()
    theatre.servers.redis.start()
    assert "Please enter the correct username" in Client().post("/admin/login/", credentials).content.decode()


def test_an_error_that_is_no_outage_stays_an_error(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("delivery.views.health.read_health", fail)
    page = operator.get("/admin/delivery/health/")
    assert page.status_code == 500
    assert "Something went wrong" in page.content.decode()
