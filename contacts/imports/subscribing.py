"""What an import does to subscriptions, as SQL over the staging table.

An import adds people to a list and takes people off it; it never brings anybody back, whatever clock a file claims.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from contacts.models import ImportJob

# A row of an address met in an earlier chunk of the file is a duplicate; the first row of an address counts.
MARK_DUPLICATES = """
UPDATE staged_contact AS staged SET is_first = false
FROM contacts_importedaddress AS met
WHERE met.job_id = %(job_id)s AND met.address_key = staged.address_key AND staged.is_first
"""
REMEMBER = """
INSERT INTO contacts_importedaddress (job_id, address_key)
SELECT %(job_id)s, address_key FROM staged_contact WHERE is_first ORDER BY address_key
"""
# The suppressed get no row: it would start mail to them on the day the suppression is lifted for another reason.
N_SUPPRESSED = """
SELECT count(*) FROM staged_contact AS staged WHERE staged.is_first AND staged.consent = 1 AND EXISTS (
    SELECT 1 FROM contacts_suppression AS s WHERE s.address_key = staged.address_key AND s.lifted_at IS NULL
        AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
        AND coalesce(s.brand_id = %(brand_id)s, s.mailing_list_id = %(list_id)s, true))
"""
SUBSCRIBE = """
WITH added AS (
    INSERT INTO contacts_subscription (contact_id, mailing_list_id, state, source, consent_at, created_at)
    SELECT kept.id, %(list_id)s, 'confirmed', %(source)s, least(staged.consent_at, %(now)s), %(now)s
    FROM staged_contact AS staged JOIN contacts_contact AS kept USING (address)
    WHERE staged.is_first AND staged.consent = 1 AND NOT EXISTS (
        SELECT 1 FROM contacts_suppression AS s WHERE s.address_key = staged.address_key AND s.lifted_at IS NULL
            AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
            AND coalesce(s.brand_id = %(brand_id)s, s.mailing_list_id = %(list_id)s, true))
    ORDER BY kept.id
    ON CONFLICT (mailing_list_id, contact_id) DO NOTHING
    RETURNING contact_id, consent_at
)
INSERT INTO contacts_consentevent
    (contact_id, mailing_list_id, address_key, kind, source, evidence, occurred_at, recorded_at)
SELECT kept.id, %(list_id)s, kept.address_key, 'granted', %(source)s, %(evidence)s::jsonb, added.consent_at, %(now)s
FROM added JOIN contacts_contact AS kept ON kept.id = added.contact_id
"""
# Every row of an address may take it off the list, the duplicates too: of two rows that differ, leaving wins.
UNSUBSCRIBE = """
WITH leaving AS (
    SELECT kept.id, kept.address_key, max(least(staged.consent_at, %(now)s)) AS consent_at
    FROM staged_contact AS staged JOIN contacts_contact AS kept USING (address)
    WHERE staged.consent = -1
    GROUP BY kept.id ORDER BY kept.id
), left_now AS (
    INSERT INTO contacts_subscription AS old (contact_id, mailing_list_id, state, source, consent_at, created_at)
    SELECT id, %(list_id)s, 'unsubscribed', %(source)s, consent_at, %(now)s FROM leaving
    ON CONFLICT (mailing_list_id, contact_id) DO UPDATE
    SET state = 'unsubscribed', source = excluded.source, consent_at = excluded.consent_at
    WHERE old.state <> 'unsubscribed' AND old.consent_at <= excluded.consent_at
    RETURNING contact_id, consent_at
)
INSERT INTO contacts_consentevent
    (contact_id, mailing_list_id, address_key, kind, source, evidence, occurred_at, recorded_at)
SELECT leaving.id, %(list_id)s, leaving.address_key, 'withdrawn', %(source)s, '{}', left_now.consent_at, %(now)s
FROM left_now JOIN leaving ON leaving.id = left_now.contact_id
"""


def mark_duplicates(cursor: Any, job_id: int) -> int:
    """Rows of addresses that earlier chunks brought are no first rows; returns how many first rows there are."""
    cursor.execute(MARK_DUPLICATES, {"job_id": job_id})
    cursor.execute(REMEMBER, {"job_id": job_id})
    return int(cursor.rowcount)


def subscribe_staged(cursor: Any, job: ImportJob, *, now: datetime) -> tuple[int, int]:
    """Whoever agreed is on the job's list, unless known there or suppressed.

    Returns how many joined, and how many are suppressed.
    """
    evidence = {"file": job.file_name, "attested_by": job.created_by_id if job.consent_attested else None}
    values = _values(job, now) | {"evidence": json.dumps(evidence)}
    cursor.execute(N_SUPPRESSED, values)
    (n_suppressed,) = cursor.fetchone()
    cursor.execute(SUBSCRIBE, values)
    return int(cursor.rowcount), int(n_suppressed)


def unsubscribe_staged(cursor: Any, job: ImportJob, *, now: datetime) -> int:
    """Whoever the file says has left is off the job's list, unless newer consent is known; returns how many left."""
    cursor.execute(UNSUBSCRIBE, _values(job, now))
    return int(cursor.rowcount)


def _values(job: ImportJob, now: datetime) -> dict[str, Any]:
    return {"list_id": job.mailing_list_id, "brand_id": job.brand_id, "source": f"import:{job.pk}", "now": now}
