"""Operators' pages in a real browser: nothing is seriously wrong with them, and what lets mail go asks first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from delivery.models import AccountBreaker, ProviderAccount, ShapingMeasure, SitePace, SourceAddress, WarmUp
from delivery.shaping.rules import Action
from tests.delivery.factories import make_account, make_route
from tests.pages.test_accessibility import admin, check, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REPLY = "421 4.7.0 [TSS04] Messages from 203.0.113.7 temporarily deferred due to unexpected volume or user complaints"


def make_trouble() -> ProviderAccount:
    """An account with a source address, a warm-up, a measure, a slowed path and an open breaker."""
    account, now = make_account(messages_per_day=1000), timezone.now()
    make_route(account)
    source = SourceAddress.objects.create(account=account, address="127.0.0.2")
    WarmUp.objects.create(account=account, source=source, started_on=timezone.localdate())
    AccountBreaker.objects.create(account=account, circuit="open", reason="3 of 3 attempts failed")
    holds = {"account": account, "source": source, "site": "yahoo", "reply": REPLY}
    ShapingMeasure.objects.create(
        rule="yahoo-ts04", action=Action.SUSPEND, target=f"path:{account.pk}:{source.pk}:yahoo",
        reason="suspended", began_at=now - timedelta(minutes=1), until=now + timedelta(hours=1), **holds,
    )  # fmt: skip
    SitePace.objects.create(
        target=f"path:{account.pk}:{source.pk}:google", factor=0.5, changed_at=now,
        full_at=now + timedelta(hours=1), **holds | {"site": "google"},
    )  # fmt: skip
    return account


def test_pages_of_operators(page: Page, live_server: LiveServer, redis: Redis) -> None:
    make_trouble()
    log_in(page, live_server)
    lists = ("shapingmeasure", "sitepace", "siteprofile")
    urls = ["/admin/delivery/health/", *(admin(f"delivery_{name}_changelist") for name in lists)]
    assert check(page, live_server, [*urls, admin("delivery_warmup_add")]) == {}


def test_revoking_asks_first(page: Page, live_server: LiveServer, redis: Redis) -> None:
    make_trouble()
    log_in(page, live_server)
    page.goto(live_server.url + admin("delivery_shapingmeasure_changelist"))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Revoke").click()
    assert ShapingMeasure.objects.get().revoked_at is None
    questions: list[str] = []
    page.once("dialog", lambda dialog: accept(dialog, questions))
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked. Workers notice within a second.")).to_be_visible()
    assert questions == [
        "Revoke this measure? Sending goes on at once; if the server says the same again, so does the rule."
    ]
    assert ShapingMeasure.objects.get().revoked_at is not None


def accept(dialog: Dialog, questions: list[str]) -> None:
    questions.append(dialog.message)
    dialog.accept()
