"""Appending events: in bulk, idempotent by (occurred_at, event_key), with the partition there."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be appended; the same meanings as delivery.models.Event."""

    kind: str
    event_key: uuid.UUID
    occurred_at: datetime
    campaign_id: int | None = None
    contact_id: int | None = None
    account_id: int | None = None
    receipt_id: int | None = None
    link_index: int | None = None
    bounce_kind: str = ""
    category: str = ""
    enhanced: str = ""
    reply: str = ""
    verdict: str = ""
    verdict_reason: str = ""
    rules_version: int = 0
    network: str = ""
    user_agent: str = ""
    details: dict[str, Any] = field(default_factory=dict)


COLUMNS = (
    "occurred_at, event_key, received_at, kind, campaign_id, contact_id, account_id, receipt_id, link_index,"
    " bounce_kind, category, enhanced, reply, verdict, verdict_reason, rules_version, network, user_agent, details"
)
STAGE = "CREATE TEMP TABLE new_event (LIKE delivery_event INCLUDING DEFAULTS) ON COMMIT DROP"
APPEND = f"INSERT INTO delivery_event ({COLUMNS}) SELECT {COLUMNS} FROM new_event ON CONFLICT DO NOTHING"  # noqa: S608

RETURNING = " RETURNING event_key"

Found = TypeVar("Found")


def event_key(*parts: object) -> uuid.UUID:
    """The key that the same event always gets: the first 128 bits of SHA-256 over its parts."""
    text = "\x1f".join(str(part) for part in parts)
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


def append_events(events: Sequence[NewEvent], *, now: datetime) -> int:
    """The events are in the table afterwards, each once however often it comes; returns how many were new."""
    return _append(events, now, lambda cursor: int(cursor.rowcount)) if events else 0


def append_new_events(events: Sequence[NewEvent], *, now: datetime) -> set[uuid.UUID]:
    """The same; returns the keys of those that were new."""
    if not events:
        return set()
    return _append(events, now, lambda cursor: {row[0] for row in cursor.fetchall()}, RETURNING)


def _append(
    events: Sequence[NewEvent], now: datetime, read: Callable[[CursorWrapper], Found], returning: str = ""
) -> Found:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy(f"COPY new_event ({COLUMNS}) FROM STDIN") as copy:
            for event in events:
                copy.write_row(_row(event, now))
        cursor.execute(APPEND + returning)
        found = read(cursor)
        cursor.execute("DROP TABLE new_event")
    return found


def _row(event: NewEvent, now: datetime) -> tuple[Any, ...]:
    return (
        event.occurred_at,
        event.event_key,
        now,
        event.kind,
        event.campaign_id,
        event.contact_id,
        event.account_id,
        event.receipt_id,
        event.link_index,
        event.bounce_kind,
        event.category[:30],
        event.enhanced[:12],
        _storable(event.reply[:1000]),
        event.verdict,
        event.verdict_reason[:60],
        event.rules_version,
        event.network,
        _storable(event.user_agent[:300]),
        _storable(json.dumps(event.details)),
    )


def _storable(text: str) -> str:
    """PostgreSQL text cannot hold NUL."""
    return text.replace("\0", "").replace("\\u0000", "")
