"""Sending domains, providers and the policy in a real browser: no accessibility violation, and copying copies."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from contacts.models import SuppressionPolicy
from delivery.dkim import KeyKind
from delivery.models import DkimKey
from delivery.services.dkim_keys import add_dkim_key
from delivery.services.domains import check_brand_domain
from tests.delivery.factories import make_account, make_brand, make_route
from tests.pages.test_accessibility import admin, check, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_pages_of_sending(page: Page, live_server: LiveServer) -> None:
    account = make_account(host="smtp.aoksend.com")
    make_route(account)
    brand, other = make_brand(), make_brand("Beta")
    add_dkim_key(brand.sending_domain, KeyKind.RSA, now=timezone.now())
    check_brand_domain(brand, lambda _name, _kind: [], now=timezone.now(), visit=None)
    policy = SuppressionPolicy.objects.get_or_create(brand=None)[0]
    log_in(page, live_server)
    urls = [
        admin("delivery_dkimkey_changelist"),
        admin("delivery_domain", brand.pk),
        admin("delivery_domain", other.pk),
        admin("delivery_provideraccount_change", account.pk),
        admin("delivery_provideraccount_add"),
        admin("delivery_account_new", "aoksend"),
        admin("contacts_suppressionpolicy_changelist"),
        admin("contacts_suppressionpolicy_change", policy.pk),
    ]
    assert check(page, live_server, urls) == {}


def test_a_record_is_copied_whole_and_a_key_is_made(page: Page, live_server: LiveServer) -> None:
    brand = make_brand()
    log_in(page, live_server)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    page.goto(live_server.url + admin("delivery_domain", brand.pk))
    page.get_by_role("button", name="Make a key (RSA 2048)").click()
    expect(page.get_by_text("check DNS, then switch to it")).to_be_visible()
    key = DkimKey.objects.get()
    row = page.get_by_role("row", name="DKIM").filter(has_text=key.selector)
    row.get_by_role("button", name="Copy the value").click()
    expect(row.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key.record
