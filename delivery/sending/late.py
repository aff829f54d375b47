"""After a lease was lost: what its holder still learns replaces the sweeper's "uncertain" (docs/adr/0012)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from delivery.outcomes import Result
from delivery.sending.lease import Lease, Settled
from delivery.sending.ledger import lock_batch, reply_to_keep, tally

# Locked against the end of the campaign: a message that goes back to waiting must find it open.
LOCK_CAMPAIGN = "SELECT state IN ('sending', 'paused') FROM campaigns_campaign WHERE id = %s FOR NO KEY UPDATE"

RESOLVE = """
UPDATE delivery_outcome SET result = %s, account_id = %s, source_id = %s, code = %s, enhanced = %s, reply = %s,
    provider_id = %s
WHERE campaign_id = %s AND batch_id = %s AND position = %s AND result = 5
"""

# An uncertain outcome becomes a deferred one, with the row that says when the next attempt is due.
REQUEUE = """
WITH taken AS (
    UPDATE delivery_outcome SET result = 2, reply = %(words)s
    WHERE campaign_id = %(campaign)s AND batch_id = %(batch)s AND position = ANY(%(positions)s) AND result = 5
    AND (%(swept)s = '' OR reply = %(swept)s)
    RETURNING contact_id, position
)
INSERT INTO delivery_deferral (campaign_id, contact_id, route_id, batch_id, position, attempt, account_id, source_id,
    same_source, site, category, reply, deferred_at, due_at)
SELECT b.campaign_id, t.contact_id, b.route_id, b.id, t.position, b.attempt, %(account)s, %(source)s, %(same_source)s,
    b.site, %(category)s, %(words)s, now(), coalesce(%(due)s, now())
FROM taken t JOIN delivery_batch b ON b.id = %(batch)s
"""


@dataclass(frozen=True, slots=True)
class Again:
    """Why and when uncertain messages are tried again; `swept_from`: only those that the sweeper took from a worker."""

    words: str
    category: str
    due_at: datetime | None = None
    account_id: int | None = None
    source_id: int | None = None
    same_source: bool = False
    swept_from: str = ""


def words_of_sweeper(worker: str) -> str:
    """What the sweeper writes about messages that it took from a worker."""
    return f"The worker {worker} died between handing this message over and writing the answer down."


def lock_open_campaign(cursor: CursorWrapper, campaign_id: int) -> bool:
    """Whether the campaign is under way; it stays so until the transaction ends. Lock it before its batches."""
    cursor.execute(LOCK_CAMPAIGN, [campaign_id])
    row = cursor.fetchone()
    return bool(row and row[0])


def requeue_uncertain(
    cursor: CursorWrapper, campaign_id: int, batch_id: int, positions: Sequence[int], again: Again
) -> int:
    """Those of the messages that are uncertain wait for another attempt; returns how many. Does not tally."""
    params: dict[str, Any] = {
        "campaign": campaign_id,
        "batch": batch_id,
        "positions": list(positions),
        "account": again.account_id,
        "source": again.source_id,
        "same_source": again.same_source,
    }
    words = again.words[:500].replace("\0", "")
    swept = words_of_sweeper(again.swept_from) if again.swept_from else ""
    why = {"words": words, "category": again.category[:30], "due": again.due_at, "swept": swept}
    cursor.execute(REQUEUE, {**params, **why})
    return int(cursor.rowcount)


def resolve_late(
    lease: Lease, settled: Iterable[Settled], *, refusals: Callable[[Lease, Sequence[Settled], datetime], None]
) -> None:
    """Answers that came after the lease was lost are on record, with what refused addresses mean."""
    with transaction.atomic(), connection.cursor() as cursor:
        is_open = lock_open_campaign(cursor, lease.campaign_id)
        lock_batch(cursor, lease.batch_id)
        learned = [item for item in settled if _learn(cursor, lease, item, is_open=is_open)]
        if learned:
            cursor.execute("SELECT now()")
            refusals(lease, learned, cursor.fetchone()[0])
        tally(cursor, lease.campaign_id, lease.batch_id)


def _learn(cursor: CursorWrapper, lease: Lease, item: Settled, *, is_open: bool) -> bool:
    """Whether the late answer for one message changed what was on record."""
    outcome = item.outcome
    if outcome.result is Result.UNCERTAIN:
        return False
    if outcome.result is Result.DEFERRED:
        again = Again(
            outcome.text, item.category, item.due_at, item.account_id, item.source_id, same_source=item.same_source
        )
        return is_open and bool(
            requeue_uncertain(cursor, lease.campaign_id, lease.batch_id, [item.position], again)
        )  # where the campaign has ended a person decides
    values = [outcome.result, item.account_id, item.source_id, outcome.code, outcome.enhanced, reply_to_keep(outcome)]
    key = [lease.campaign_id, lease.batch_id, item.position]
    cursor.execute(RESOLVE, [*values, outcome.provider_id[:200].replace("\0", ""), *key])
    return bool(cursor.rowcount)


def take_back(lease: Lease, *, worker: str) -> None:
    """Journaled by `worker`, never handed to a connection, swept as uncertain: such messages are sent after all.

    Only for a lost lease that hands out nothing more. What the sweeper took from a later holder stays as it is.
    """
    positions = list(range(lease.next_position, lease.n_begun))
    if not positions:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if not lock_open_campaign(cursor, lease.campaign_id):
            return
        lock_batch(cursor, lease.batch_id)
        again = Again("Not handed over: the worker lives, but its lease had run out.", "lease_lost", swept_from=worker)
        requeue_uncertain(cursor, lease.campaign_id, lease.batch_id, positions, again)
        tally(cursor, lease.campaign_id, lease.batch_id)
