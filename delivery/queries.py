"""Reads over delivery's tables that are used twice or join."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

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
