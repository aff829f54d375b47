"""What a store's delivery says, in our words: the same for every platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

ConsentState = Literal["confirmed", "unconfirmed", "unsubscribed", "not_subscribed"]


class UnreadableDelivery(Exception):
    """A delivery that does not have the form its topic promises; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class StoreConsent:
    """What a customer agreed to in the store, by the store's clock.

    `not_subscribed` takes back only what the same store gave: it is also what a store says of people it never asked.
    """

    state: ConsentState
    at: datetime
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerSaved:
    """A customer as the store has it now; `email` is None where the store keeps none."""

    external_id: str
    email: str | None
    values: dict[str, str]
    updated_at: datetime
    consent: StoreConsent | None = None


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """Only the consent of a customer changed."""

    external_id: str
    email: str | None
    consent: StoreConsent


@dataclass(frozen=True, slots=True)
class CustomerDeleted:
    """The store deleted a customer."""

    external_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomerRedacted:
    """The person asked the store to be erased."""

    external_id: str
    email: str | None


@dataclass(frozen=True, slots=True)
class NotUsed:
    """A delivery that asks nothing of us; `reason` for the admin."""

    reason: str


Statement = CustomerSaved | ConsentChanged | CustomerDeleted | CustomerRedacted | NotUsed


def moment(text: Any) -> datetime | None:
    """A store's time as aware UTC; without an offset it is UTC (WooCommerce's *_gmt fields)."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def texts(payload: dict[str, Any], *paths: str) -> str:
    """The first text that is not blank at one of the dotted paths."""
    for path in paths:
        node: Any = payload
        for step in path.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        if isinstance(node, str) and node.strip():
            return node.strip()
    return ""


def external_id(payload: dict[str, Any], key: str = "id") -> str:
    """The customer's id; raises UnreadableDelivery without one. Ids above 2**53 stay exact: Python's ints are."""
    found = payload.get(key)
    if isinstance(found, bool) or not isinstance(found, int | str) or not str(found).strip():
        raise UnreadableDelivery(f"The delivery has no {key}.")
    return str(found)
