"""WooCommerce's customer topics. Pure.

The core knows no marketing consent; a plugin keeps it in the customer's meta data under a key the store names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .records import (
    CustomerDeleted,
    CustomerSaved,
    NotUsed,
    Statement,
    StoreConsent,
    UnreadableDelivery,
    external_id,
    moment,
    texts,
)

AGREED = frozenset({"1", "yes", "true", "on", "y", "subscribed", "opt-in", "opted-in"})


def delivery_key(topic: str, payload: Any, body_hash: str) -> str:
    """Topic, id and date_modified_gmt name a state of a customer.

    X-WC-Webhook-Delivery-ID is a hash of the webhook and the second, new on each delivery. The body's hash keeps two
    saves within one second apart: a plugin often writes the consent meta just after the customer.
    """
    resource = payload if isinstance(payload, dict) else {}
    return f"{topic}:{resource.get('id')}:{resource.get('date_modified_gmt') or ''}:{body_hash[:16]}"


def read(topic: str, payload: dict[str, Any], *, received_at: datetime, consent_meta_key: str) -> Statement:
    """What a delivery says."""
    match topic:
        case "customer.created" | "customer.updated" | "customer.restored":
            return _customer(payload, received_at, consent_meta_key)
        case "customer.deleted":
            return CustomerDeleted(external_id(payload), received_at)  # the payload is {"id": …} and no more
    return NotUsed(f"Topic {topic} is not used.")


def _customer(payload: dict[str, Any], received_at: datetime, consent_meta_key: str) -> CustomerSaved:
    values = {
        "first_name": texts(payload, "first_name", "billing.first_name"),
        "last_name": texts(payload, "last_name", "billing.last_name"),
        "phone": texts(payload, "billing.phone"),
        "country": texts(payload, "billing.country", "shipping.country"),
        "city": texts(payload, "billing.city", "shipping.city"),
    }
    updated_at = moment(payload.get("date_modified_gmt")) or moment(payload.get("date_created_gmt")) or received_at
    return CustomerSaved(
        external_id=external_id(payload),
        email=texts(payload, "email", "billing.email") or None,
        values={name: value for name, value in values.items() if value},
        updated_at=updated_at,
        consent=_consent(payload, consent_meta_key, updated_at),
    )


def _consent(payload: dict[str, Any], meta_key: str, at: datetime) -> StoreConsent | None:
    """The meta value has no clock of its own; the customer's is the nearest."""
    if not meta_key:
        return None
    meta = payload.get("meta_data", [])
    if not isinstance(meta, list):
        raise UnreadableDelivery("meta_data is not a list.")
    values = [entry.get("value") for entry in meta if isinstance(entry, dict) and entry.get("key") == meta_key]
    if not values:
        return None
    said = values[-1]
    agreed = said is True or str(said).strip().lower() in AGREED
    return StoreConsent("confirmed" if agreed else "not_subscribed", at, {"meta": meta_key, "value": str(said)[:100]})
