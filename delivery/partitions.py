"""Partitions of the big tables: made aside and attached, so that nobody who is sending waits (docs/adr/0003)."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# One partition holds this many campaign ids: small campaigns share one, and old ones are dropped whole.
CAMPAIGNS_PER_PARTITION = 100
CAMPAIGN_TABLES = ("delivery_message", "delivery_outcome")


def ensure_campaign_partitions(campaign_id: int) -> None:
    """Messages and outcomes of this campaign have their partition afterwards; safe to call at once from many places."""
    low = campaign_id - campaign_id % CAMPAIGNS_PER_PARTITION
    for table in CAMPAIGN_TABLES:
        _attach(table, f"{table}_{low}", str(low), str(low + CAMPAIGNS_PER_PARTITION))


def ensure_event_partitions(now: datetime) -> None:
    """This month's and the next two months' events have their partition afterwards."""
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    for _ in range(3):
        following = _next_month(month)
        _attach(
            "delivery_event", f"delivery_event_{month:%Y_%m}", f"'{month:%Y-%m-%d}+00'", f"'{following:%Y-%m-%d}+00'"
        )
        month = following


def _next_month(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


@transaction.atomic
def _attach_new(cursor: CursorWrapper, parent: str, name: str, low: str, high: str) -> None:
    """Events that came before their month's partition lie among the strays, and would forbid it."""
    if parent == "delivery_event":
        cursor.execute(
            f"WITH moved AS (DELETE FROM delivery_event_stray WHERE occurred_at >= {low} AND occurred_at < {high}"  # noqa: S608
            f" RETURNING *) INSERT INTO {name} SELECT * FROM moved"
        )
    cursor.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})")


def _attach(parent: str, name: str, low: str, high: str) -> None:
    """ATTACH takes SHARE UPDATE EXCLUSIVE on the parent, where CREATE ... PARTITION OF would stop every reader."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)::oid IN (SELECT inhrelid FROM pg_inherits)", [name])
        row = cursor.fetchone()
        if row and row[0]:
            return
        # All names and bounds come from this module; there is nothing to splice from outside.
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        try:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            )
            cursor.execute("SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)::oid", [name])
            if cursor.fetchone() is None:
                _attach_new(cursor, parent, name, low, high)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
