"""Writing many contacts at once: COPY into a temporary table, then one INSERT and one UPDATE of what differs.

Why not bulk_create(update_conflicts=True): it writes unchanged rows again and manages about 12,000 rows a second, a
sixth of this. Why not one ON CONFLICT DO UPDATE: it cannot tell "keep" (NULL) from "clear" ('') in a NOT NULL column.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from .patches import ContactPatch

TEXTS = ("first_name", "last_name", "phone", "country", "city", "locale", "timezone")
# One table per connection: making one per chunk would bloat the catalogue. Emptied by each commit.
CREATE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_contact (
    line integer NOT NULL, is_first boolean NOT NULL, consent smallint NOT NULL, consent_at timestamptz NOT NULL,
    email varchar(320) NOT NULL, address varchar(320) COLLATE "C" NOT NULL, domain varchar(255) NOT NULL,
    address_key uuid NOT NULL,
    first_name text, last_name text, phone text, country text, city text, locale text, timezone text,
    fields jsonb NOT NULL
) ON COMMIT DELETE ROWS
"""
COPY = f"""
COPY staged_contact (line, is_first, consent, consent_at, email, address, domain, address_key,
    {", ".join(TEXTS)}, fields) FROM STDIN
"""
# In the order of addresses, so that two imports at once meet the same people in the same order and cannot deadlock.
INSERT = f"""
INSERT INTO contacts_contact (uuid, email, address, domain, address_key, {", ".join(TEXTS)}, fields,
    created_at, updated_at)
SELECT gen_random_uuid(), email, address, domain, address_key, {", ".join(f"coalesce({name}, '')" for name in TEXTS)},
    jsonb_strip_nulls(fields), %(now)s, %(now)s
FROM (SELECT DISTINCT ON (address) * FROM staged_contact WHERE is_first ORDER BY address, line) AS staged
ORDER BY address
ON CONFLICT (address) DO NOTHING
"""  # noqa: S608 (only the constants above are spliced)
# After the INSERT, so that whoever was added meanwhile by someone else is seen too.
UPDATE = f"""
WITH differing AS (
    SELECT kept.id, staged.line
    FROM staged_contact AS staged JOIN contacts_contact AS kept USING (address)
    WHERE staged.is_first
        AND ({", ".join(f"kept.{name}" for name in TEXTS)}, kept.fields) IS DISTINCT FROM
            ({", ".join(f"coalesce(staged.{name}, kept.{name})" for name in TEXTS)},
             jsonb_strip_nulls(kept.fields || staged.fields))
    ORDER BY kept.address FOR UPDATE OF kept
)
UPDATE contacts_contact AS kept
SET {", ".join(f"{name} = coalesce(staged.{name}, kept.{name})" for name in TEXTS)},
    fields = jsonb_strip_nulls(kept.fields || staged.fields), updated_at = %(now)s
FROM differing JOIN staged_contact AS staged USING (line)
WHERE kept.id = differing.id
"""  # noqa: S608
ERASED = """
DELETE FROM staged_contact AS staged USING contacts_suppression AS suppression
WHERE suppression.address_key = staged.address_key AND suppression.reason = 'erased' AND suppression.lifted_at IS NULL
RETURNING staged.line
"""
SAVED = """
SELECT staged.line, kept.id, kept.uuid FROM staged_contact AS staged JOIN contacts_contact AS kept USING (address)
"""


class StagedRow(NamedTuple):
    """One row on its way in; `consent` is 1 agreed, 0 not said, -1 withdrawn."""

    line: int
    patch: ContactPatch
    consent_at: datetime
    consent: int = 0
    is_first: bool = True


class SavedContact(NamedTuple):
    """Where a row ended."""

    id: int
    uuid: UUID


@dataclass(frozen=True, slots=True)
class Written:
    """How many contacts were added and how many changed."""

    n_created: int
    n_updated: int


@contextmanager
def staging_cursor() -> Iterator[Any]:
    """A cursor (untyped: Django hides psycopg's copy()) with an empty staging table; needs an open transaction."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute("DELETE FROM staged_contact")
        yield cursor


def stage(cursor: Any, rows: Iterable[StagedRow]) -> None:
    """Copy rows into the staging table."""
    no_fields = "{}"
    with cursor.copy(COPY) as copy:
        write = copy.write_row
        for line, patch, consent_at, consent, is_first in rows:
            address, *texts, fields = patch
            written = json.dumps(fields, ensure_ascii=False) if fields else no_fields
            key = address.key.hex
            write((line, is_first, consent, consent_at, *address[:3], key, *texts, written))


def drop_erased(cursor: Any) -> list[int]:
    """Take out people who asked to be erased; returns their lines."""
    cursor.execute(ERASED)
    return [line for (line,) in cursor.fetchall()]


def write_contacts(cursor: Any, *, now: datetime) -> Written:
    """Add the staged contacts that are new and change those that differ; the rest is not touched."""
    cursor.execute(INSERT, {"now": now})
    n_created = cursor.rowcount
    cursor.execute(UPDATE, {"now": now})
    return Written(n_created, cursor.rowcount)


def saved_contacts(cursor: Any) -> dict[int, SavedContact]:
    """Which contact each staged line belongs to."""
    cursor.execute(SAVED)
    return {line: SavedContact(pk, uuid) for line, pk, uuid in cursor.fetchall()}
