"""Judged hits as rows of the event table: text made for COPY, each part worked out once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from django.db import connection

from delivery.tracking.hits import Hit
from delivery.tracking.rules import VERSION
from delivery.tracking.verdicts import Verdict

# The columns left out have defaults.
COLUMNS = (
    "occurred_at, event_key, campaign_id, contact_id, link_index, network, kind, user_agent, details, category,"
    " verdict, verdict_reason, rules_version, received_at"
)
DIRECT = f"COPY delivery_event ({COLUMNS}) FROM STDIN"
STAGE = "CREATE TEMP TABLE new_hit (LIKE delivery_event INCLUDING DEFAULTS) ON COMMIT DROP"
STAGED = f"COPY new_hit ({COLUMNS}) FROM STDIN"
APPEND = f"INSERT INTO delivery_event ({COLUMNS}) SELECT {COLUMNS} FROM new_hit ON CONFLICT DO NOTHING"  # noqa: S608
ROWS_PER_WRITE = 500

Judged = Iterable[tuple[Hit, Verdict]]


def copy_hits(judged: Judged, *, now: datetime) -> None:
    """The hits are events afterwards; raises IntegrityError where one of them is there already."""
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(DIRECT) as copy:
        for block in _blocks(judged, now):
            copy.write(block)


def copy_new_hits(judged: Judged, *, now: datetime) -> None:
    """The same for hits of which some may be there: these stay as they are. Half as fast."""
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy(STAGED) as copy:
            for block in _blocks(judged, now):
                copy.write(block)
        cursor.execute(APPEND)
        cursor.execute("DROP TABLE new_hit")


def _blocks(judged: Judged, now: datetime) -> Iterator[str]:
    received = f"\t{VERSION}\t{now.isoformat()}\n"
    rows: list[str] = []
    for hit, verdict in judged:
        second, fraction = divmod(hit.at, 1)
        link = r"\N" if hit.link_index is None else hit.link_index
        rows.append(
            f"{_second(int(second))}.{int(fraction * 1e6):06d}+00\t{hit.key.hex()}\t{hit.campaign_id}\t{hit.contact_id}"
            f"\t{link}\t{hit.network}\t{_looks(hit.kind, hit.user_agent, hit.method, hit.purpose, hit.label)}"
            f"\t{verdict.verdict}\t{verdict.reason}{received}"
        )
        if len(rows) == ROWS_PER_WRITE:
            yield "".join(rows)
            rows.clear()
    yield "".join(rows)


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=20_000)
def _looks(kind: str, user_agent: str, method: str, purpose: str, label: str) -> str:
    """The columns that many hits share; programs are few, networks are many."""
    details: dict[str, str | bool] = {}
    if method != "GET" or purpose:
        details = {"method": method, "purpose": purpose.replace("\0", "")}
    if kind == "honeypot":
        kind, details["trap"] = "clicked", True
    return "\t".join(_escaped(text) for text in (kind, user_agent[:300], json.dumps(details), label))


def _escaped(text: str) -> str:
    """COPY's text format; PostgreSQL text cannot hold NUL."""
    text = text.replace("\0", "").replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
