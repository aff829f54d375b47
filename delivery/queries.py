"""Reads over delivery's tables that are used twice or join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

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
