"""How a campaign's messages stand: the sum over states, read in one statement so that it adds up at any moment."""

from __future__ import annotations

from dataclasses import dataclass, fields

from django.db import connection, transaction

# Batches that nobody holds carry their counts; only the few leased ones are counted from their outcome rows.
# One index range per leased batch, whatever the statistics of a young campaign say: OFFSET 0 keeps it so.
# A deferred message counts where it is now: its old batch's outcome says deferred, the untaken deferral says waiting.
PROGRESS = """
WITH b AS MATERIALIZED (
    SELECT id, state, n_messages, n_begun, n_accepted, n_refused, n_failed, n_uncertain, n_suppressed, n_expired,
        n_cancelled
    FROM delivery_batch WHERE campaign_id = %(campaign)s
), held AS (
    SELECT o.result, count(*) AS n FROM b CROSS JOIN LATERAL (
        SELECT result FROM delivery_outcome WHERE campaign_id = %(campaign)s AND batch_id = b.id OFFSET 0) o
    WHERE b.state = 'leased' GROUP BY o.result
), counted AS (
    SELECT
        coalesce(sum(n_messages - n_begun) FILTER (WHERE state = 'pending'), 0) AS pending,
        coalesce(sum(n_messages - n_begun) FILTER (WHERE state = 'leased'), 0) AS claimed,
        coalesce(sum(n_begun) FILTER (WHERE state = 'leased'), 0) - (SELECT coalesce(sum(n), 0) FROM held) AS sending,
        coalesce(sum(n_accepted) FILTER (WHERE state <> 'leased'), 0) AS accepted,
        coalesce(sum(n_refused) FILTER (WHERE state <> 'leased'), 0) AS refused,
        coalesce(sum(n_failed) FILTER (WHERE state <> 'leased'), 0) AS failed,
        coalesce(sum(n_uncertain) FILTER (WHERE state <> 'leased'), 0) AS uncertain,
        coalesce(sum(n_suppressed) FILTER (WHERE state <> 'leased'), 0) AS suppressed,
        coalesce(sum(n_expired) FILTER (WHERE state <> 'leased'), 0) AS expired,
        coalesce(sum(n_cancelled) FILTER (WHERE state <> 'leased'), 0) AS cancelled
    FROM b
)
SELECT pending, claimed, sending,
    accepted + coalesce((SELECT n FROM held WHERE result = 1), 0),
    (SELECT count(*) FROM delivery_deferral WHERE campaign_id = %(campaign)s AND taken_at IS NULL),
    refused + coalesce((SELECT n FROM held WHERE result = 3), 0),
    failed + coalesce((SELECT n FROM held WHERE result = 4), 0),
    uncertain + coalesce((SELECT n FROM held WHERE result = 5), 0),
    suppressed + coalesce((SELECT n FROM held WHERE result = 6), 0),
    expired + coalesce((SELECT n FROM held WHERE result = 7), 0),
    cancelled + coalesce((SELECT n FROM held WHERE result = 8), 0)
FROM counted
"""

# The slow truth, message by message, for reconciliation and tests.
RECOUNT = """
SELECT CASE
    WHEN o.result IS NOT NULL THEN
        (ARRAY['accepted','deferred','refused','failed','uncertain','suppressed','expired','cancelled'])[o.result]
    WHEN b.state = 'finished' THEN 'cancelled'
    WHEN m.position < b.n_begun THEN 'sending'
    WHEN b.state = 'leased' THEN 'claimed'
    ELSE 'pending' END AS state, count(*)
FROM delivery_message m JOIN delivery_batch b ON b.id = m.batch_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
WHERE m.campaign_id = %s GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Messages of a campaign by state."""

    pending: int = 0
    claimed: int = 0
    sending: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    failed: int = 0
    uncertain: int = 0
    suppressed: int = 0
    expired: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """The audience."""
        return sum(getattr(self, f.name) for f in fields(self))

    @property
    def waiting(self) -> int:
        """Messages with no end yet."""
        return self.pending + self.claimed + self.sending + self.deferred

    @property
    def done(self) -> int:
        """Messages that came to an end."""
        return self.total - self.waiting


def progress_of(campaign_id: int) -> Progress:
    """The sum over states, in one snapshot; cost grows with batches, not with messages."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, {"campaign": campaign_id})
        row = cursor.fetchone()
    return Progress(*(int(n) for n in row)) if row else Progress()


def recount(campaign_id: int) -> Progress:
    """The same from every message row: for the daily reconciliation and the tests; cost grows with messages."""
    with transaction.atomic(), connection.cursor() as cursor:
        # For a campaign younger than the partition's statistics the planner expects one row: 30,000 took over a minute.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(RECOUNT, [campaign_id])
        return Progress(**dict(cursor.fetchall()))
