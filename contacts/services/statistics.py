"""PostgreSQL's statistics of people, renewed before a statement that reads them all.

Autovacuum renews them too, up to a minute later. In that minute a freeze after an import may be planned for a handful
of people, with loops that compare each of a hundred thousand with each (seen: no end after two minutes, not 0.4 s).
"""

from __future__ import annotations

from django.db import connection

from contacts.models import Contact, Subscription, Suppression

TABLES = tuple(model._meta.db_table for model in (Contact, Subscription, Suppression))
# As autovacuum judges by default, only at once.
STALE = """
SELECT relname FROM pg_stat_user_tables
WHERE relname = ANY(%s) AND schemaname = current_schema() AND n_mod_since_analyze > 1000 + 0.1 * n_live_tup
"""


def renew_statistics() -> list[str]:
    """Tables of people of which more than a tenth changed are analyzed; returns their names.

    Outside of a transaction, which would keep the tables from autovacuum until its end. A table that is being
    vacuumed right now is left to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(STALE, [list(TABLES)])
        stale = [name for (name,) in cursor.fetchall()]
        for name in stale:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {name}")
    return stale
