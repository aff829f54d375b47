"""Shopify's customer topics. Pure.

Since API version 2025-01 customers/create and /update carry no consent; customers_email_marketing_consent/update does
(https://shopify.dev/changelog/new-customer-s-webhook-and-changes-to-existing-customer-s-webhooks-payload). Older
versions carry it in the customer, where it is read too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .records import (
    ConsentChanged,
    ConsentState,
    CustomerDeleted,
    CustomerRedacted,
    CustomerSaved,
    NotUsed,
    Statement,
    StoreConsent,
    UnreadableDelivery,
    external_id,
    moment,
    texts,
)

# https://shopify.dev/docs/api/admin-graphql/latest/enums/CustomerEmailMarketingState, lower case in webhooks.
STATES: dict[str, ConsentState] = {
    "subscribed": "confirmed",
    "pending": "unconfirmed",
    "unsubscribed": "unsubscribed",
    "not_subscribed": "not_subscribed",
}


def delivery_key(headers: Mapping[str, str], topic: str, body_hash: str) -> str:
    """Webhook-Id is the same on a repeated delivery; the documentation says to tell duplicates by it."""
    return headers.get("X-Shopify-Webhook-Id") or f"{topic}:{body_hash}"


def read(topic: str, payload: dict[str, Any], *, triggered_at: datetime) -> Statement:
    """What a delivery says; `triggered_at` is X-Shopify-Triggered-At or else when it came."""
    match topic:
        case "customers/create" | "customers/update" | "customers/enable" | "customers/disable":
            return _customer(payload, triggered_at)
        case "customers_email_marketing_consent/update":
            return _consent_update(payload, triggered_at)
        case "customers/delete":
            return CustomerDeleted(external_id(payload), triggered_at)
        case "customers/redact":
            return _redaction(payload)
        case "customers/data_request":
            return NotUsed("A person asks for their data: export it from the contact's page within 30 days.")
        case "shop/redact":
            return NotUsed("The shop asks to erase its data: delete the store here.")
    return NotUsed(f"Topic {topic} is not used.")


def _customer(payload: dict[str, Any], triggered_at: datetime) -> CustomerSaved:
    values = {
        "first_name": texts(payload, "first_name", "default_address.first_name"),
        "last_name": texts(payload, "last_name", "default_address.last_name"),
        "phone": texts(payload, "phone", "default_address.phone"),
        "country": texts(payload, "default_address.country_code", "default_address.country"),
        "city": texts(payload, "default_address.city"),
        "locale": texts(payload, "locale"),
    }
    return CustomerSaved(
        external_id=external_id(payload),
        email=texts(payload, "email") or None,
        values={name: value for name, value in values.items() if value},
        updated_at=moment(payload.get("updated_at")) or triggered_at,
        consent=_consent(payload.get("email_marketing_consent"), fallback=None),
    )


def _consent_update(payload: dict[str, Any], triggered_at: datetime) -> Statement:
    said = payload.get("email_marketing_consent")
    if not isinstance(said, dict):
        raise UnreadableDelivery("The delivery has no email_marketing_consent.")
    consent = _consent(said, fallback=triggered_at)
    if consent is None:
        return NotUsed(f"Consent state {said.get('state')!r} changes nothing.")
    return ConsentChanged(external_id(payload, "customer_id"), texts(payload, "email_address") or None, consent)


def _consent(said: Any, *, fallback: datetime | None) -> StoreConsent | None:
    """`consent_updated_at` is null for people nobody asked."""
    if not isinstance(said, dict):
        return None
    state = STATES.get(str(said.get("state")).lower())
    at = moment(said.get("consent_updated_at")) or fallback
    if state is None or at is None:
        return None
    return StoreConsent(state, at, {"opt_in_level": said.get("opt_in_level")})


def _redaction(payload: dict[str, Any]) -> CustomerRedacted:
    customer = payload.get("customer")
    if not isinstance(customer, dict):
        raise UnreadableDelivery("The delivery has no customer.")
    return CustomerRedacted(external_id(customer), texts(customer, "email") or None)
