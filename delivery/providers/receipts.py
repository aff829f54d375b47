"""From a provider's words to ProviderEvents: the parts that all providers share."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .contract import EventKind, ProviderEvent

KINDS: dict[str, EventKind] = {
    # anymail's normalised event words -> ours; "queued" and "sent" only say that the provider has it.
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "bounced": EventKind.BOUNCED,
    "complained": EventKind.COMPLAINED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "rejected": EventKind.REJECTED,
    "failed": EventKind.FAILED,
    "autoresponded": EventKind.AUTO_REPLIED,
}


WITH_CLASS = (EventKind.BOUNCED, EventKind.DEFERRED, EventKind.REJECTED)
CLASSES = ("hard", "soft", "block")


@dataclass(slots=True)
class Reading:
    """An event while it is being read; `seal` makes it final."""

    kind: EventKind = EventKind.UNKNOWN
    mid: str = ""
    provider_id: str = ""
    event_id: str = ""
    recipient: str = ""
    occurred_at: datetime | None = None
    bounce_class: str = ""
    reply: str = ""
    url: str = ""
    user_agent: str = ""
    ip: str = ""
    machine: bool = False


def seal(reading: Reading, raw: Mapping[str, object], account: str) -> ProviderEvent:
    """The finished event; where the provider gives no id, one is made from what makes the event itself."""
    if reading.kind not in WITH_CLASS or reading.bounce_class not in CLASSES:
        reading.bounce_class = ""
    if reading.occurred_at is not None and reading.occurred_at.tzinfo is None:
        reading.occurred_at = reading.occurred_at.replace(tzinfo=UTC)
    raw = storable(raw)
    return ProviderEvent(
        kind=reading.kind,
        event_id=reading.event_id or fingerprint(reading, raw, account),
        raw=raw,
        mid=reading.mid,
        provider_id=reading.provider_id,
        recipient=reading.recipient,
        occurred_at=reading.occurred_at,
        bounce_class=reading.bounce_class,
        reply=reading.reply,
        url=reading.url,
        user_agent=reading.user_agent,
        ip=reading.ip,
        machine=reading.machine,
    )


def fingerprint(reading: Reading, raw: Mapping[str, object], account: str) -> str:
    """SHA-256 over account, kind, message, recipient, moment and URL: equal for every replay of one event.

    An event without a message or a moment is told apart by its whole raw content.
    """
    moment = reading.occurred_at.isoformat() if reading.occurred_at else ""
    message = reading.mid or reading.provider_id
    parts = [account, reading.kind, message, reading.recipient.lower(), moment, reading.url]
    if not (message and moment):
        parts.append(json.dumps(raw, sort_keys=True, default=str))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def unreadable(raw: Mapping[str, object], account: str) -> ProviderEvent:
    """An event of a form that we do not know: kept, so that it can be read after a fix."""
    return seal(Reading(), raw, account)


def text(value: object) -> str:
    """A scalar as text that PostgreSQL takes; nothing for what is none."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return _storable_text(str(value))


def _storable_text(value: str) -> str:
    """Without NUL and lone surrogates, which JSON may hold and PostgreSQL does not."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def storable(value: object, depth: int = 0) -> Any:
    """A JSON value that a jsonb column takes: no NUL, lone surrogate or NaN, and at most 40 levels deep."""
    if depth > 40:
        return None
    if isinstance(value, Mapping):
        return {_storable_text(str(name)): storable(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner, depth + 1) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _storable_text(value) if isinstance(value, str) else value


def member(value: object, *path: str) -> Any:
    """The value at a path of object members, or None."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def epoch(value: object, unit: float = 1.0) -> datetime | None:
    """Seconds since 1970 (times `unit`) as an aware time; None for what is no sane moment."""
    try:
        return datetime.fromtimestamp(float(text(value)) * unit, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(value: object) -> datetime | None:
    """An ISO 8601 time as an aware one (UTC where it names no zone); None for what is none."""
    try:
        moment = datetime.fromisoformat(text(value).replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
