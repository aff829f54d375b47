from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from delivery.events import NewEvent, append_events, event_key
from delivery.partitions import ensure_event_partitions

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE occurred_at < '2001-04-01'")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0])


def test_events_that_came_before_their_partition_move_into_it() -> None:
    event = NewEvent(kind="bounced", event_key=event_key("early"), occurred_at=LONG_AGO, campaign_id=1, contact_id=2)
    append_events([event], now=LONG_AGO)
    assert (count("delivery_event_stray"), count("delivery_event")) == (1, 1)
    try:
        for _ in range(2):
            ensure_event_partitions(LONG_AGO)
        assert (count("delivery_event_stray"), count("delivery_event_2001_02"), count("delivery_event")) == (0, 1, 1)
    finally:
        with connection.cursor() as cursor:
            for month in ("02", "03", "04"):
                cursor.execute(f"DROP TABLE delivery_event_2001_{month}")
