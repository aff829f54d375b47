"""What guards the pages: the login's rate limit, cookies, and the headers of real answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from redis import Redis

from delivery.tracking.tokens import TokenMaker
from tests.delivery.factories import make_sending

pytestmark = pytest.mark.django_db

NAMES = (
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_PRELOAD",
)


@pytest.fixture
def anna(redis: Redis) -> Client:
    """Somebody at the door; nobody failed to log in before."""
    cache.clear()
    User.objects.create_superuser("anna", "anna@example.com", "right password")
    return Client()


def try_password(client: Client, password: str, *, address: str = "192.0.2.1") -> int:
    form = {"username": "anna", "password": password}
    return client.post("/admin/login/", form, REMOTE_ADDR=address).status_code


def test_after_five_wrong_passwords_the_right_one_must_wait(anna: Client) -> None:
    assert [try_password(anna, "wrong") for _ in range(5)] == [200, 200, 200, 200, 429]
    assert try_password(anna, "right password") == 429
    assert try_password(anna, "right password", address="198.51.100.7") == 302


def test_a_login_forgets_the_failures_before_it(anna: Client) -> None:
    assert [try_password(anna, "wrong") for _ in range(4)] == [200] * 4
    assert try_password(anna, "right password") == 302
    assert [try_password(anna, "wrong") for _ in range(4)] == [200] * 4


def test_the_admin_runs_own_scripts_only_and_its_cookies_stay_from_scripts(anna: Client) -> None:
    answer = anna.get("/admin/login/")
    policy = answer["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} >= {
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "object-src 'none'",
        "frame-ancestors 'self'",
    }
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert try_password(anna, "right password") == 302
    session = anna.cookies["sessionid"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["u", "p"])
def test_pages_of_readers_load_nothing_but_their_style_and_set_no_cookie(client: Client, path: str) -> None:
    campaign = make_sending(1)
    reader = campaign.send_to.get().subscriptions.get().contact_id
    answer = client.get(f"/{path}/{TokenMaker(settings.SECRET_KEY).make(campaign.pk, reader)}")
    assert answer.status_code == 200
    assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} == {
        *("default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'"),
        *("frame-ancestors 'none'", "base-uri 'none'"),
    }
    assert not answer.cookies


def test_with_an_https_address_cookies_and_hsts_are_strict() -> None:
    names = ", ".join(f"{name!r}: settings.{name}" for name in NAMES)
    code = f"import json; from django.conf import settings; print(json.dumps({{{names}}}))"
    environment = os.environ | {
        "PUBLIC_ORIGIN": "https://fanfare.example.com",
        "DJANGO_SETTINGS_MODULE": "deploy.settings",
    }
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert json.loads(found.stdout) == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_PRELOAD": True,
    }
