"""The sweeper: leases that ran out. What was not begun goes back; what was begun without an outcome is uncertain."""

from __future__ import annotations

from django.db import connection, transaction

from delivery.outcomes import Result
from delivery.sending.late import words_of_sweeper
from delivery.sending.ledger import tally

DEAD = """
SELECT id, campaign_id, leased_by FROM delivery_batch WHERE state = 'leased' AND lease_until < now()
ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
"""

MARK_UNCERTAIN = """
INSERT INTO delivery_outcome (campaign_id, batch_id, position, contact_id, result, code, enhanced, reply, provider_id,
    at)
SELECT m.campaign_id, m.batch_id, m.position, m.contact_id, %(uncertain)s, 0, '',
    %(words)s, '', now()
FROM delivery_message m JOIN delivery_batch b ON b.id = m.batch_id
WHERE m.campaign_id = %(campaign)s AND m.batch_id = %(batch)s AND m.position < b.n_begun
AND NOT EXISTS (
    SELECT 1 FROM delivery_outcome o
    WHERE o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position)
"""

# The fence grows: should the holder be alive after all, its next write changes no row and it stops.
RELEASE = """
UPDATE delivery_batch SET fence = fence + 1, leased_by = '', lease_until = NULL,
    state = CASE WHEN n_begun = n_messages THEN 'finished' ELSE 'pending' END,
    finished_at = CASE WHEN n_begun = n_messages THEN now() END
WHERE id = %s
"""


def sweep_dead_leases(*, limit: int = 1000) -> int:
    """Every lease that ran out is released; returns how many messages became uncertain."""
    n_uncertain = 0
    for _ in range(limit):
        swept = _sweep_one()
        if swept is None:
            break
        n_uncertain += swept
    return n_uncertain


@transaction.atomic
def _sweep_one() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(DEAD)
        row = cursor.fetchone()
        if row is None:
            return None
        batch_id, campaign_id, worker = row
        params = {"campaign": campaign_id, "batch": batch_id, "words": words_of_sweeper(worker)}
        cursor.execute(MARK_UNCERTAIN, {**params, "uncertain": Result.UNCERTAIN.value})
        n_uncertain = int(cursor.rowcount)
        cursor.execute(RELEASE, [batch_id])
        tally(cursor, campaign_id, batch_id)
        return n_uncertain
