"""Envelopes as anymail messages: one for one person, or one merged text for many."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from anymail.message import AnymailMessage
from anymail.utils import EmailAddress

from delivery.providers.contract import ApiEnvelope
from delivery.providers.merging import Merged, Syntax, merge
from delivery.providers.wire import wire_address

MID = "mid"


def one_line(text: str) -> str:
    """Text fit for a header: no line breaks or control characters."""
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in text).split())


def formatted(name: str, address: str) -> str:
    """A name and an address as one header value."""
    return str(EmailAddress(one_line(name), wire_address(address)))


_sender = lru_cache(maxsize=256)(formatted)  # the same for a whole campaign; parsing it takes 70 µs


def metadata(envelope: ApiEnvelope) -> dict[str, str]:
    """What the provider is to carry back to us: our message id and what the campaign adds."""
    return {**envelope.metadata, MID: envelope.message_token}


def lone(envelope: ApiEnvelope, carries_metadata: bool) -> Any:
    """The message for one recipient; ValueError when an address in it is none."""
    message = _basic([envelope], envelope.subject, envelope.html, envelope.text)
    message.extra_headers = dict(envelope.headers)
    if carries_metadata:
        message.metadata = metadata(envelope)
    return message


def merged(envelopes: Sequence[ApiEnvelope], syntax: Syntax) -> Any:
    """One message for many recipients: bodies as text with fields, differing headers as merge headers."""
    parts = {
        "s": merge([one_line(e.subject) for e in envelopes], "s", syntax),
        "h": merge([e.html for e in envelopes], "h", syntax),
        "t": merge([e.text for e in envelopes], "t", syntax),
    }
    message = _basic(envelopes, parts["s"].template, parts["h"].template, parts["t"].template)
    addresses = [wire_address(e.recipient) for e in envelopes]
    message.merge_data = {address: _values(parts, i) for i, address in enumerate(addresses)}
    message.merge_metadata = {a: metadata(e) for a, e in zip(addresses, envelopes, strict=True)}
    message.extra_headers, differing = split_headers([e.headers for e in envelopes])
    if any(differing):
        message.merge_headers = dict(zip(addresses, differing, strict=True))
    return message


def _values(parts: Mapping[str, Merged], position: int) -> dict[str, str]:
    """All field values of one recipient."""
    return {name: value for part in parts.values() for name, value in part.values[position].items()}


def split_headers(headers: Sequence[Mapping[str, str]]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Headers that all share, and for each recipient its own."""
    shared = {
        name: value for name, value in headers[0].items() if all(other.get(name) == value for other in headers[1:])
    }
    return shared, [{n: v for n, v in own.items() if n not in shared} for own in headers]


def _basic(envelopes: Sequence[ApiEnvelope], subject: str, html: str, text: str) -> Any:
    """A message with sender, recipients and bodies."""
    first = envelopes[0]
    message = AnymailMessage(
        subject=one_line(subject),
        body=text,
        from_email=_sender(first.from_name, first.from_email),
        to=[formatted(e.recipient_name, e.recipient) for e in envelopes],
        reply_to=[formatted("", first.reply_to)] if first.reply_to else None,
    )
    if html:
        message.attach_alternative(html, "text/html")
    return message
