"""Reads over delivery's tables that are used twice or join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from delivery.brake import Cause, Results
from delivery.inbound.taxonomy import BLOCKS
from delivery.warmup import Reception

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


# `source` 0 and `site` "" mean any. A mixed batch's people are looked up by their domain.
ACCEPTED_TO_SITE = """
SELECT count(*) FROM delivery_outcome o JOIN delivery_batch b ON b.id = o.batch_id
WHERE o.campaign_id IN (
    SELECT DISTINCT campaign_id FROM delivery_batch WHERE finished_at >= %(since)s OR state <> 'finished')
AND o.account_id = %(account)s AND o.result = 1 AND o.at >= %(since)s
AND (%(source)s = 0 OR o.source_id = %(source)s)
AND (%(site)s = '' OR b.site = %(site)s OR (b.site = '' AND EXISTS (
    SELECT 1 FROM contacts_contact c JOIN delivery_recipientsite s ON s.domain = c.domain
    WHERE c.id = o.contact_id AND s.site = %(site)s)))
"""


def count_accepted_to_site_since(account_id: int, source_id: int, site: str, since: datetime) -> int:
    """Messages that went by an account and source address (0: any) to a site (empty: any) since a moment."""
    with connection.cursor() as cursor:
        cursor.execute(ACCEPTED_TO_SITE, {"account": account_id, "source": source_id, "site": site, "since": since})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def sites_of_contacts(contact_ids: Sequence[int]) -> dict[int, str]:
    """The recipient site of each of these people, where one is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, s.site FROM contacts_contact c JOIN delivery_recipientsite s ON s.domain = c.domain"
            " WHERE c.id = ANY(%s)",
            [list(contact_ids)],
        )
        return dict(cursor.fetchall())


# What went to a site by an account and source address (0 and "": any), and what came back for these messages.
RECEPTION = """
WITH sent AS (
    SELECT o.campaign_id, o.contact_id, o.result FROM delivery_outcome o JOIN delivery_batch b ON b.id = o.batch_id
    WHERE o.campaign_id IN (
        SELECT DISTINCT campaign_id FROM delivery_batch WHERE finished_at >= %(since)s OR state <> 'finished')
    AND o.account_id = %(account)s AND o.result IN (1, 3) AND o.at >= %(since)s
    AND (%(source)s = 0 OR o.source_id = %(source)s)
    AND (%(site)s = '' OR b.site = %(site)s OR (b.site = '' AND EXISTS (
        SELECT 1 FROM contacts_contact c JOIN delivery_recipientsite s ON s.domain = c.domain
        WHERE c.id = o.contact_id AND s.site = %(site)s)))
), came_back AS (
    SELECT DISTINCT e.kind, e.campaign_id, e.contact_id FROM delivery_event e
    JOIN sent ON sent.campaign_id = e.campaign_id AND sent.contact_id = e.contact_id
    WHERE (e.kind = 'bounced' AND e.bounce_kind IN ('hard', 'block')) OR e.kind = 'complained'
)
SELECT (SELECT count(*) FROM sent), (SELECT count(*) FROM came_back WHERE kind = 'bounced'),
    (SELECT count(*) FROM came_back WHERE kind = 'complained')
"""


def reception_since(account_id: int, source_id: int, site: str, since: datetime) -> Reception:
    """How the messages since a moment were received; asked once a minute and warm-up."""
    with connection.cursor() as cursor:
        cursor.execute(RECEPTION, {"account": account_id, "source": source_id, "site": site, "since": since})
        row = cursor.fetchone()
    return Reception(*(int(n) for n in row)) if row else Reception(0, 0, 0)


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
