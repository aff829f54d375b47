"""Events of a provider that nobody wrote code for: its webhook calls are described by two fields of the form.

event fields              event kinds
list: events              delivered: delivered
kind: type                hard_bounce: bounced hard
message_token: custom.mid spam: complained
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .contract import EventKind, ProviderEvent, UnreadableReceiptError, WebhookRequest
from .paths import lines_of, scalar_at, value_at
from .receipts import CLASSES, Reading, epoch, iso_time, seal

NAMES = (
    "list", "kind", "id", "message_token", "provider_id", "recipient", "time", "reply", "url", "user_agent", "ip",
)  # fmt: skip
# Seconds until the year 5138, milliseconds from 1973 on.
MILLISECONDS_FROM = 1e11


@dataclass(frozen=True, slots=True)
class EventForm:
    """Where things stand in an event, and what the provider's words for kinds mean: (kind, hard, soft or block)."""

    paths: Mapping[str, str]
    kinds: Mapping[str, tuple[EventKind, str]]


def event_form(fields: str, kinds: str) -> EventForm:
    """The two fields read; ValueError, in words, for a line that makes no sense."""
    paths = dict(lines_of(fields))
    strange = [name for name in paths if name not in NAMES]
    if strange:
        raise ValueError(f"Event fields have the names {', '.join(NAMES)}; {strange[0]!r} is none of them.")
    if paths and not ("kind" in paths and ("message_token" in paths or {"provider_id", "recipient"} <= paths.keys())):
        raise ValueError(
            "Event fields need a line for kind, and for message_token or for both provider_id and recipient."
        )
    meanings = lines_of(kinds, colons_in_names=True)
    return EventForm(paths, {word: _meaning(word, meaning) for word, meaning in meanings})


def read_events(form: EventForm, request: WebhookRequest) -> list[ProviderEvent]:
    """All events of a call; raises UnreadableReceiptError."""
    if not form.paths:
        raise UnreadableReceiptError("The account's form does not say how events look.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceiptError("not JSON") from error
    return [_event(form, raw) for raw in _raw_events(form, body)]


def _raw_events(form: EventForm, body: Any) -> Sequence[Mapping[str, Any]]:
    found = value_at(body, form.paths.get("list", ""))
    items = [found] if isinstance(found, dict) else found
    if not isinstance(items, list):
        raise UnreadableReceiptError("There is no list of events where the form says.")
    return [item for item in items if isinstance(item, dict)]


def _event(form: EventForm, raw: Mapping[str, Any]) -> ProviderEvent:
    def at(name: str) -> str:
        return scalar_at(raw, form.paths[name]) if name in form.paths else ""

    kind, bounce_class = form.kinds.get(at("kind"), (EventKind.UNKNOWN, ""))
    reading = Reading(
        kind=kind,
        mid=at("message_token"),
        provider_id=at("provider_id"),
        event_id=at("id"),
        recipient=at("recipient"),
        occurred_at=_moment(at("time")),
        bounce_class=bounce_class,
        reply=at("reply"),
        url=at("url"),
        user_agent=at("user_agent"),
        ip=at("ip"),
    )
    return seal(reading, raw, "generic_http")


def _moment(text: str) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970."""
    try:
        number = float(text)
    except ValueError:
        return iso_time(text) if text else None
    return epoch(text, 0.001 if number >= MILLISECONDS_FROM else 1.0)


def _meaning(word: str, meaning: str) -> tuple[EventKind, str]:
    kind, _, bounce_class = meaning.partition(" ")
    if kind not in set(EventKind) or (bounce_class and bounce_class not in CLASSES):
        raise ValueError(
            f"“{word}: {meaning}” names no kind of event: delivered, deferred soft, bounced hard, bounced soft, bounced"
            " block, complained, unsubscribed, opened, clicked, rejected or failed."
        )
    return EventKind(kind), bounce_class
