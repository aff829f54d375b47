"""Reads over delivery's tables that are used twice or join."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from delivery.brake import Cause, Results
from delivery.inbound.taxonomy import BLOCKS

# Partitions are by campaign: only campaigns that sent since then are looked at.
ACCEPTED_SINCE = """
SELECT count(*) FROM delivery_outcome o
WHERE o.campaign_id IN (
    SELECT DISTINCT campaign_id FROM delivery_batch WHERE finished_at >= %(since)s OR state <> 'finished')
AND o.account_id = %(account)s AND o.result = 1 AND o.at >= %(since)s
"""


def count_accepted_since(account_id: int, since: datetime) -> int:
    """Messages that an account took since a moment; slow, asked once a day and account when Redis forgot."""
    with connection.cursor() as cursor:
        cursor.execute(ACCEPTED_SINCE, {"account": account_id, "since": since})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


# For the brake. Attempts are counted from batches (a thousandth of the messages), people from the rows of what went
# wrong: the events' index (campaign, kind, contact) and the partial index of blocking deferrals.
RESULTS = """
SELECT
    (SELECT coalesce(sum(n_begun - n_suppressed) FILTER (WHERE attempt = 1), 0) FROM delivery_batch
     WHERE campaign_id = %(campaign)s),
    (SELECT count(DISTINCT contact_id) FROM delivery_event
     WHERE campaign_id = %(campaign)s AND kind = 'bounced' AND bounce_kind = 'hard'),
    (SELECT count(DISTINCT contact_id) FROM delivery_event
     WHERE campaign_id = %(campaign)s AND kind = 'complained'),
    (SELECT count(*) FROM (
        SELECT contact_id FROM delivery_event
        WHERE campaign_id = %(campaign)s AND kind = 'bounced' AND category = ANY(%(blocks)s)
        UNION SELECT contact_id FROM delivery_deferral
        WHERE campaign_id = %(campaign)s AND {blocks}) AS blocked)
"""

EXAMPLES = {
    "bounced": "SELECT reply FROM delivery_event WHERE campaign_id = %(campaign)s AND kind = 'bounced'"
    " AND bounce_kind = 'hard' LIMIT 1",
    "blocked": "SELECT reply FROM (SELECT reply FROM delivery_event WHERE campaign_id = %(campaign)s"
    " AND kind = 'bounced' AND category = ANY(%(blocks)s) UNION ALL SELECT reply FROM delivery_deferral"
    " WHERE campaign_id = %(campaign)s AND {blocks}) AS said LIMIT 1",
}
# A literal list, as the partial index has it: a parameter would not be matched with the index.
BLOCKING = f"category IN ({', '.join(repr(category) for category in BLOCKS)})"


def results_of(campaign_id: int) -> Results:
    """What came of a campaign's messages, people once each."""
    with connection.cursor() as cursor:
        cursor.execute(RESULTS.format(blocks=BLOCKING), {"campaign": campaign_id, "blocks": list(BLOCKS)})
        row = cursor.fetchone()
    return Results(*(int(n) for n in row)) if row else Results(0)


def example_reply(campaign_id: int, cause: Cause) -> str:
    """One server's words for a cause of braking; empty for complaints, which have none."""
    if cause == "complained":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(EXAMPLES[cause].format(blocks=BLOCKING), {"campaign": campaign_id, "blocks": list(BLOCKS)})
        row = cursor.fetchone()
    return str(row[0]) if row else ""


# Batches that nobody holds carry their counts; held ones are looked through.
UNCERTAIN = """
SELECT o.contact_id, coalesce(c.email, ''), o.reply, o.at, o.batch_id, o.position
FROM delivery_batch b
JOIN delivery_outcome o ON o.campaign_id = b.campaign_id AND o.batch_id = b.id AND o.result = 5
LEFT JOIN contacts_contact c ON c.id = o.contact_id
WHERE b.campaign_id = %(campaign)s AND (b.n_uncertain > 0 OR b.state = 'leased')
AND o.contact_id > %(after)s AND (%(contact)s::bigint IS NULL OR o.contact_id = %(contact)s)
ORDER BY o.contact_id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A message that nobody knows the fate of, and why."""

    contact_id: int
    email: str  # empty where the person was erased since
    reason: str
    at: datetime
    batch_id: int
    position: int


def find_uncertain(
    campaign_id: int, *, contact_id: int | None = None, after: int = 0, limit: int | None = None
) -> list[Uncertain]:
    """A campaign's uncertain messages (or the one of a contact) in order of contact id, from the one after `after`."""
    params = {"campaign": campaign_id, "contact": contact_id, "after": after, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(UNCERTAIN, params)
        return [Uncertain(*row) for row in cursor.fetchall()]
