"""Stores that deliver signed news, and what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from contacts.stores.models import Store, StoreDelivery
from contacts.stores.processing import process_next
from contacts.stores.signatures import sign
from tests.contacts.factories import NOW, make_brand, make_list

SECRET = "hush"
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def make_store(platform: str = "shopify", **values: Any) -> Store:
    """A store with the secret 'hush'."""
    brand = make_brand()
    defaults: dict[str, Any] = {
        "name": "Shop",
        "domain": "shop.example",
        "mailing_list": make_list(brand),
        "secrets": {"webhook_secret": "hush"},
    }
    return Store.objects.create(brand=brand, platform=platform, **(defaults | values))


def deliver(store: Store, topic: str, payload: Any, *, secret: str = SECRET, **headers: str) -> HttpResponse:
    """The answer to a signed delivery; keyword headers have _ for -."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    if store.platform == "shopify":
        own = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": sign(secret, body)}
        own["X-Shopify-Webhook-Id"] = str(uuid4())
    else:
        own = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": sign(secret, body)}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    response = Client().post(f"/hooks/stores/{store.uuid}", data=body, content_type="application/json", headers=own)
    assert isinstance(response, HttpResponse)
    return response


def process_all(now: datetime = LATER) -> int:
    """How many deliveries were processed."""
    StoreDelivery.objects.update(received_at=NOW, due_at=NOW)
    number = 0
    while process_next(now=now):
        number += 1
    return number


def customer(updated_at: str = "2026-01-01T10:00:00+01:00", **values: Any) -> dict[str, Any]:
    """A Shopify customer of the API versions since 2025-01."""
    defaults = {
        "id": 706405506930370084,
        "email": "alice@example.com",
        "first_name": "Alice",
        "last_name": "Smith",
        "phone": None,
        "updated_at": updated_at,
        "default_address": {"city": "Ottawa", "country_code": "CA", "phone": "555-1212"},
    }
    return defaults | values


def consent(state: str, at: str | None, email: str = "alice@example.com") -> dict[str, Any]:
    """A Shopify consent delivery."""
    said = {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at}
    return {"customer_id": 706405506930370084, "email_address": email, "email_marketing_consent": said}


CONSENT = "customers_email_marketing_consent/update"
