"""Webhook bodies through anymail's parsers, one raw event at a time, so that a strange one does not hide the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anymail.exceptions import AnymailError
from django.utils.module_loading import import_string

from delivery.providers.contract import EventKind, ProviderEvent, WebhookRequest
from delivery.providers.receipts import KINDS, Reading, seal, text, unreadable

from .dialect import Dialect, Part
from .messages import MID

# What anymail's parsers raise for an event of a form that they do not know.
STRANGE = (
    AnymailError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    OSError,
    AssertionError,
)


def events(dialect: Dialect, request: WebhookRequest) -> list[ProviderEvent]:
    """All events of a call; raises UnreadableReceiptError when the body is not the ESP's."""
    cls = import_string(dialect.view)
    # The views' constructors read secrets from Django settings and warn; their parsers need neither.
    view = cls.__new__(cls)
    found: list[ProviderEvent] = []
    for raw in dialect.split(request):
        found += _read(dialect, view, raw, request)
    return found


def _read(dialect: Dialect, view: Any, raw: dict[str, Any], request: WebhookRequest) -> list[ProviderEvent]:
    """The events that one raw event means: usually one."""
    try:
        return [_sealed(dialect, raw, event) for event in dialect.translate(view, Part(raw, request))]
    except STRANGE:
        return [unreadable(raw, dialect.key)]


def _sealed(dialect: Dialect, raw: dict[str, Any], event: Any) -> ProviderEvent:
    """anymail's event, put right by the ESP's own rules."""
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    reading = Reading(
        kind=KINDS.get(event.event_type, EventKind.UNKNOWN),
        mid=text(metadata.get(MID)),
        provider_id=text(event.message_id),
        event_id=text(event.event_id),
        recipient=text(event.recipient),
        occurred_at=event.timestamp,
        reply=text(event.mta_response) or text(event.description),
        url=text(event.click_url),
        user_agent=text(event.user_agent),
    )
    return seal(dialect.refine(raw, reading), raw, dialect.key)
