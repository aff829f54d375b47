"""PostgreSQL's statistics of people, renewed where many changed and before all are read.

Autovacuum renews them too, up to a minute later. In that minute an audience may be counted or frozen by a plan for a
handful of people, which compares each of a hundred thousand with each (seen: no end after two minutes, not 0.4 s).
"""

from __future__ import annotations

from django.db import connection

from contacts.models import Contact, Subscription, Suppression

TABLES = tuple(model._meta.db_table for model in (Contact, Subscription, Suppression))
# A tenth, as autovacuum judges by default; below a thousand no plan is bad enough to matter.
STALE = """
SELECT relname FROM pg_stat_user_tables
WHERE relname = ANY(%s) AND schemaname = current_schema() AND n_mod_since_analyze > 1000 + 0.1 * n_live_tup
"""


def renew_statistics() -> list[str]:
    """Analyzes the tables of people of which more than a tenth changed, and returns their names.

    Outside of a transaction, which would keep the tables from autovacuum until its end. A table that is being
    vacuumed right now is left to it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # what this connection changed counts by now
        cursor.execute(STALE, [list(TABLES)])
        stale = [name for (name,) in cursor.fetchall()]
        for name in stale:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {name}")
    return stale
