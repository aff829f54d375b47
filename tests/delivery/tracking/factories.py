"""Hits for tests: a test names only what matters to it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from delivery.partitions import ensure_event_partitions
from delivery.tracking.hits import QUEUE, Hit, encode_hit

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = NOW.timestamp() - 3600
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
_numbers = itertools.count(1)


def make_hit(kind: str = "clicked", *, at: float = AT, link: int | None = 0, **values: Any) -> Hit:
    defaults: dict[str, Any] = {
        "key": next(_numbers).to_bytes(16, "big"),
        "campaign_id": 7,
        "contact_id": 8,
        "network": "192.0.2.0/24",
        "user_agent": CHROME,
        "method": "GET",
        "purpose": "",
    }
    return Hit(kind=kind, at=at, link_index=link if kind == "clicked" else None, **(defaults | values))


def push(redis: Redis, *hits: Hit) -> None:
    """As the web process leaves them."""
    ensure_event_partitions(NOW)
    redis.rpush(QUEUE, *map(encode_hit, hits))
