"""Deferred messages whose time has come move into new batches; each move is one transaction."""

from __future__ import annotations

from django.db import connection, transaction

# Locked rows are skipped: two ticks at once take different messages. Greylisted mail stays with its account and source.
TAKE_DUE = """
CREATE TEMP TABLE due ON COMMIT DROP AS
WITH taken AS (
    UPDATE delivery_deferral d SET taken_at = now()
    WHERE d.id IN (
        SELECT d2.id FROM delivery_deferral d2 JOIN campaigns_campaign c ON c.id = d2.campaign_id
        WHERE d2.taken_at IS NULL AND d2.due_at <= now() AND c.state = 'sending'
        ORDER BY d2.due_at LIMIT %(limit)s FOR UPDATE OF d2 SKIP LOCKED)
    RETURNING d.campaign_id, d.contact_id, d.route_id, d.site, d.attempt,
        CASE WHEN d.same_source THEN d.account_id END AS account_id,
        CASE WHEN d.same_source THEN d.source_id END AS source_id
)
SELECT *, row_number() OVER (
    PARTITION BY campaign_id, route_id, site, attempt, account_id, source_id ORDER BY contact_id) - 1 AS rank
FROM taken
"""

CUT = """
INSERT INTO delivery_batch (campaign_id, route_id, site, attempt, account_id, source_id, state, due_at, n_messages,
    n_begun, fence, leased_by, n_accepted, n_deferred, n_refused, n_failed, n_uncertain, n_suppressed, n_expired,
    n_cancelled)
SELECT campaign_id, route_id, site, attempt + 1, account_id, source_id, 'pending', now(), count(*),
    0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0
FROM due GROUP BY campaign_id, route_id, site, attempt, account_id, source_id
RETURNING id, campaign_id, route_id, site, attempt, account_id, source_id
"""

MOVE = """
UPDATE delivery_message m SET batch_id = %s, position = d.rank
FROM due d
WHERE m.campaign_id = %s AND m.contact_id = d.contact_id AND d.campaign_id = m.campaign_id
AND d.route_id = %s AND d.site = %s AND d.attempt = %s - 1
AND d.account_id IS NOT DISTINCT FROM %s AND d.source_id IS NOT DISTINCT FROM %s
"""


@transaction.atomic
def requeue_due(*, limit: int = 1000) -> int:
    """Up to `limit` due messages are in new batches, ready to be leased; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS due")
        cursor.execute(TAKE_DUE, {"limit": limit})
        if cursor.rowcount <= 0:
            return 0
        n_moved = 0
        cursor.execute(CUT)
        for batch in cursor.fetchall():
            cursor.execute(MOVE, batch)
            n_moved += cursor.rowcount
        return n_moved
