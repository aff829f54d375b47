"""The end of campaigns: finished when nothing is left to do, and tidied when cancelled."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from campaigns.services import finish_campaign
from delivery.outcomes import Result
from delivery.sending.late import lock_open_campaign
from delivery.sending.ledger import lock_batch, tally

DONE = """
SELECT c.id FROM campaigns_campaign c WHERE c.state = 'sending'
AND NOT EXISTS (SELECT 1 FROM delivery_batch b WHERE b.campaign_id = c.id AND b.state <> 'finished')
AND NOT EXISTS (SELECT 1 FROM delivery_deferral d WHERE d.campaign_id = c.id AND d.taken_at IS NULL)
"""

# Batches that nobody holds; a holder notices the cancellation at its next journal step and lets go.
CANCEL_BATCHES = """
UPDATE delivery_batch b SET state = 'finished', finished_at = now(),
    n_cancelled = b.n_cancelled + b.n_messages - b.n_begun
FROM campaigns_campaign c WHERE c.id = b.campaign_id AND c.state = 'cancelled' AND b.state = 'pending'
"""

END_DEFERRALS = """
UPDATE delivery_deferral d SET taken_at = now()
FROM campaigns_campaign c WHERE c.id = d.campaign_id AND d.taken_at IS NULL
AND (c.state = 'cancelled'
    OR (c.state IN ('sending', 'paused') AND c.launched_at + make_interval(hours => c.expire_hours) < now()))
RETURNING d.campaign_id, d.batch_id, d.position, c.state
"""

END_OUTCOME = """
UPDATE delivery_outcome SET result = %s WHERE campaign_id = %s AND batch_id = %s AND position = %s AND result = 2
"""


def finish_done_campaigns(*, now: datetime) -> int:
    """Campaigns with no open batch and no waiting message are finished; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(DONE)
        campaign_ids = [row[0] for row in cursor.fetchall()]
    return sum(_finish(campaign_id, now) for campaign_id in campaign_ids)


@transaction.atomic
def _finish(campaign_id: int, now: datetime) -> bool:
    """Asked again under the campaign's lock: an uncertain message may have gone back to waiting meanwhile."""
    with connection.cursor() as cursor:
        if not lock_open_campaign(cursor, campaign_id):
            return False
        cursor.execute(DONE + " AND c.id = %s", [campaign_id])
        return cursor.fetchone() is not None and finish_campaign(campaign_id, now=now)


@transaction.atomic
def settle_cancelled() -> int:
    """What a cancelled campaign had not begun is cancelled, and waiting messages past their time are expired."""
    with connection.cursor() as cursor:
        cursor.execute(CANCEL_BATCHES)
        n_batches = int(cursor.rowcount)
        cursor.execute(END_DEFERRALS)
        ended = cursor.fetchall()
        for batch_id in sorted({row[1] for row in ended}):
            lock_batch(cursor, batch_id)
        for campaign_id, batch_id, position, state in ended:
            result = Result.CANCELLED if state == "cancelled" else Result.EXPIRED
            cursor.execute(END_OUTCOME, [result.value, campaign_id, batch_id, position])
        for campaign_id, batch_id in {(row[0], row[1]) for row in ended}:
            tally(cursor, campaign_id, batch_id)
    return n_batches + len(ended)
