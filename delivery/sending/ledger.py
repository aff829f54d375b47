"""The ledger's statements: claim, read, journal, append, finish. Plain SQL: this is the hot path (docs/adr/0004).

Every write of a lease holder names its fence; zero rows changed means that somebody else holds the batch now.
All times are PostgreSQL's, so that workers with different clocks agree.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from delivery.outcomes import Outcome, Result
from delivery.sending.arrays import bigints, smallints, texts
from delivery.sending.lease import Lease, Person, Settled
from delivery.sending.prepared import run_prepared

LEASE_SECONDS = settings.LEASE_SECONDS


class LeaseLost(Exception):
    """The batch is no longer ours: its lease ran out and was swept, or somebody leased it since."""


class Journaled(NamedTuple):
    """What a journal step found: campaign state, marks of unsubscribes and suppressions, PostgreSQL's time."""

    state: str
    stop_mark: tuple[int, int]
    at: datetime


# Campaigns that have a due batch on a route: one index probe per campaign under way, however many batches there are.
CAMPAIGNS_WITH_WORK = """
SELECT c.id, c.weight FROM campaigns_campaign c
WHERE c.state = 'sending' AND EXISTS (
    SELECT 1 FROM delivery_batch b
    WHERE b.route_id = %s AND b.campaign_id = c.id AND b.state = 'pending' AND b.due_at <= now()
    AND b.site <> ALL(%s))
ORDER BY c.id
"""

CLAIM = """
UPDATE delivery_batch b SET state = 'leased', fence = fence + 1, leased_by = %(worker)s,
    lease_until = now() + make_interval(secs => %(seconds)s)
FROM campaigns_campaign c
WHERE b.id = (
    SELECT id FROM delivery_batch
    WHERE route_id = %(route)s AND campaign_id = %(campaign)s AND state = 'pending' AND due_at <= now()
    AND site <> ALL(%(held)s)
    ORDER BY due_at, id FOR UPDATE SKIP LOCKED LIMIT 1)
  AND c.id = b.campaign_id AND c.state = 'sending'
RETURNING b.id, b.campaign_id, c.weight, b.route_id, b.site, b.attempt, b.fence, b.n_messages, b.n_begun,
    c.launched_at, c.launched_at + make_interval(hours => c.expire_hours), c.messages_per_hour, b.account_id,
    b.source_id
"""

# Mailable at claim: still subscribed to one of the campaign's lists, and no suppression in force.
# Kept equal to the verdict of the freeze (campaigns.queries) by a test.
MAILABLE = """
EXISTS (
    SELECT 1 FROM contacts_subscription s WHERE s.contact_id = c.id AND s.state = 'confirmed'
    AND s.mailing_list_id = ANY(%(lists)s)
    AND NOT EXISTS (
        SELECT 1 FROM contacts_suppression x WHERE x.address_key = c.address_key AND x.lifted_at IS NULL
        AND (x.expires_at IS NULL OR x.expires_at > now())
        AND ((x.brand_id IS NULL AND x.mailing_list_id IS NULL) OR x.brand_id = %(brand)s
             OR x.mailing_list_id = s.mailing_list_id)))
"""

# LEFT JOIN: a person erased since the freeze still has a message, which must end in a state. The custom fields come as
# bytes, as their decoder wants them: as text they would be decoded and encoded again, 1 us per KB.
READ_PEOPLE = f"""
SELECT m.position, m.contact_id, m.variant_id, coalesce(c.email, ''), c.first_name, c.last_name, c.phone,
    c.country, c.city, c.locale, convert_to(c.fields::text, 'UTF8'), {MAILABLE}
FROM delivery_message m LEFT JOIN contacts_contact c ON c.id = m.contact_id
WHERE m.campaign_id = %(campaign)s AND m.batch_id = %(batch)s AND m.position >= %(start)s
ORDER BY m.position
"""  # noqa: S608 - built of constants

# People of a mixed batch whose site got a limit of its own since the batch was cut.
DETOURS = """
SELECT m.position, s.site FROM delivery_message m
JOIN contacts_contact c ON c.id = m.contact_id JOIN delivery_recipientsite s ON s.domain = c.domain
WHERE m.campaign_id = %s AND m.batch_id = %s AND m.position >= %s AND s.site = ANY(%s)
"""

STOPPED_SINCE = f"""
SELECT c.id FROM contacts_contact c WHERE c.id = ANY(%(contacts)s) AND NOT {MAILABLE}
"""  # noqa: S608

# The journal step: intent, outcomes, lease and news in one statement, so in one round trip and one transaction.
# No row: the lease is lost and nothing was written. `state` tells a paused or cancelled campaign; the two marks grow
# whenever somebody unsubscribes or is suppressed. For the 50 rows of a step this costs half of what BEGIN, UPDATE, COPY
# and COMMIT do (docs/adr/0005). Prepared and with binary arrays (%(...)b) it takes half of that again, of PostgreSQL's
# time as of ours (docs/adr/0020).
JOURNAL = """
WITH journal AS (
    UPDATE delivery_batch b SET n_begun = %(begun)s, lease_until = now() + make_interval(secs => %(seconds)s)
    FROM campaigns_campaign c
    WHERE b.id = %(batch)s AND b.fence = %(fence)s AND b.state = 'leased' AND c.id = b.campaign_id
    RETURNING c.state
), appended AS (
    INSERT INTO delivery_outcome (campaign_id, batch_id, position, contact_id, result, account_id, source_id, code,
        enhanced, reply, provider_id, at)
    SELECT %(campaign)s, %(batch)s, o.position, o.contact_id, o.result, o.account_id, o.source_id, o.code, o.enhanced,
        o.reply, o.provider_id, now()
    FROM journal, unnest(%(positions)b::smallint[], %(contacts)b::bigint[], %(results)b::smallint[],
        %(accounts)b::bigint[], %(sources)b::bigint[], %(codes)b::smallint[], %(enhanced)b::text[], %(replies)b::text[],
        %(provider_ids)b::text[])
        AS o (position, contact_id, result, account_id, source_id, code, enhanced, reply, provider_id)
)
SELECT state, coalesce((SELECT max(id) FROM contacts_consentevent), 0),
    coalesce((SELECT max(id) FROM contacts_suppression), 0), now() FROM journal
"""

ALREADY_WRITTEN = (
    "SELECT position FROM delivery_outcome WHERE campaign_id = %s AND batch_id = %s AND position = ANY(%s)"
)

DEFER = """
INSERT INTO delivery_deferral (campaign_id, contact_id, route_id, batch_id, position, attempt, account_id,
    source_id, same_source, site, category, reply, deferred_at, due_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), %s)
"""

# Counted from rows, never incremented. A finished batch's positions that were never begun are its cancelled ones.
TALLY = """
UPDATE delivery_batch b SET
    n_accepted = t.accepted, n_deferred = t.deferred, n_refused = t.refused, n_failed = t.failed,
    n_uncertain = t.uncertain, n_suppressed = t.suppressed, n_expired = t.expired,
    n_cancelled = t.cancelled + CASE WHEN b.state = 'finished' THEN b.n_messages - b.n_begun ELSE 0 END
FROM (
    SELECT count(*) FILTER (WHERE result = 1) AS accepted, count(*) FILTER (WHERE result = 2) AS deferred,
        count(*) FILTER (WHERE result = 3) AS refused, count(*) FILTER (WHERE result = 4) AS failed,
        count(*) FILTER (WHERE result = 5) AS uncertain, count(*) FILTER (WHERE result = 6) AS suppressed,
        count(*) FILTER (WHERE result = 7) AS expired, count(*) FILTER (WHERE result = 8) AS cancelled
    FROM delivery_outcome WHERE campaign_id = %(campaign)s AND batch_id = %(batch)s
) t
WHERE b.id = %(batch)s
"""

# Ends a lease: finished when everything was begun, else back to pending (paused, out of time, throttled).
END = """
UPDATE delivery_batch SET
    state = CASE WHEN n_begun = n_messages THEN 'finished' ELSE 'pending' END,
    finished_at = CASE WHEN n_begun = n_messages THEN now() END,
    leased_by = '', lease_until = NULL, due_at = greatest(due_at, coalesce(%(due)s, due_at))
WHERE id = %(batch)s AND fence = %(fence)s AND state = 'leased'
"""

# Held until the transaction ends: a tally whose statement began before the lock would miss the other's rows.
LOCK_BATCH = "SELECT 1 FROM delivery_batch WHERE id = %s FOR UPDATE"


def campaigns_with_work(route_id: int, *, held_sites: Sequence[str] = ()) -> list[tuple[int, int]]:
    """(campaign id, weight) of the campaigns that could give a batch now, other than one for a site that is held."""
    with connection.cursor() as cursor:
        cursor.execute(CAMPAIGNS_WITH_WORK, [route_id, list(held_sites)])
        return cast("list[tuple[int, int]]", cursor.fetchall())


def claim_batch(route_id: int, campaign_id: int, *, worker: str, held_sites: Sequence[str] = ()) -> Lease | None:
    """The campaign's oldest due batch, leased to `worker` for 60 s; None when there is none. Without its people.

    Batches of a held site stay where they are.
    """
    params: dict[str, Any] = {"route": route_id, "campaign": campaign_id, "worker": worker, "seconds": LEASE_SECONDS}
    params["held"] = list(held_sites)
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, params)
        row = cursor.fetchone()
    return None if row is None else Lease(*row)


def read_people(lease: Lease, audience: Mapping[str, Any]) -> list[Person]:
    """The batch's people from the first one not begun, each checked against consent and suppression now."""
    params = {**audience, "campaign": lease.campaign_id, "batch": lease.batch_id, "start": lease.n_begun}
    return [Person._make(row) for row in run_prepared(READ_PEOPLE, params)]


def detours_of(lease: Lease, sites: Sequence[str]) -> dict[int, str]:
    """Positions in the batch whose people belong to one of the sites, with the site."""
    with connection.cursor() as cursor:
        cursor.execute(DETOURS, [lease.campaign_id, lease.batch_id, lease.n_begun, list(sites)])
        return dict(cursor.fetchall())


def audience_of(campaign_id: int) -> dict[str, Any]:
    """The parameters of MAILABLE: the campaign's brand and the lists it goes to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.brand_id, coalesce(array_agg(t.mailinglist_id) FILTER (WHERE t.id IS NOT NULL), '{}')"
            " FROM campaigns_campaign c LEFT JOIN campaigns_campaign_send_to t ON t.campaign_id = c.id"
            " WHERE c.id = %s GROUP BY c.brand_id",
            [campaign_id],
        )
        row = cursor.fetchone()
    return {"brand": row[0], "lists": row[1]} if row else {"brand": None, "lists": []}


def stopped_since(contact_ids: Sequence[int], audience: Mapping[str, Any]) -> set[int]:
    """Those of the contacts who may no longer be mailed."""
    with connection.cursor() as cursor:
        cursor.execute(STOPPED_SINCE, {**audience, "contacts": list(contact_ids)})
        return {row[0] for row in cursor.fetchall()}


def advance(
    lease: Lease,
    begun: int,
    settled: Sequence[Settled],
    *,
    refusals: Callable[[Lease, Sequence[Settled], datetime], None],
    retry: bool = False,
) -> Journaled:
    """One journal step: the outcomes are appended and the intent for positions below `begun` is committed, together.

    Raises LeaseLost (nothing is written then). `retry` says that an earlier try may have been committed although its
    answer was lost. `refusals` records what refused addresses mean, in the same transaction.
    """
    if retry:
        settled = _not_written(lease, settled)
    exceptional = [item for item in settled if item.due_at is not None or item.outcome.result is Result.REFUSED]
    if not exceptional:
        return _journal(lease, begun, settled)
    with transaction.atomic():
        journaled = _journal(lease, begun, settled)
        with connection.cursor() as cursor:
            for item in exceptional:
                if item.due_at is not None:
                    _defer(cursor, lease, item)
        refusals(lease, exceptional, journaled.at)
    return journaled


def _journal(lease: Lease, begun: int, settled: Sequence[Settled]) -> Journaled:
    outcomes = [item.outcome for item in settled]
    rows = run_prepared(
        JOURNAL,
        {
            "begun": begun,
            "campaign": lease.campaign_id,
            "batch": lease.batch_id,
            "fence": lease.fence,
            "seconds": LEASE_SECONDS,
            "positions": smallints([item.position for item in settled]),
            "contacts": bigints([item.contact_id for item in settled]),
            "results": smallints([outcome.result for outcome in outcomes]),
            "accounts": bigints([item.account_id for item in settled]),
            "sources": bigints([item.source_id for item in settled]),
            "codes": smallints([outcome.code for outcome in outcomes]),
            "enhanced": texts([outcome.enhanced[:12] for outcome in outcomes]),
            "replies": texts([reply_to_keep(outcome) for outcome in outcomes]),
            "provider_ids": texts([outcome.provider_id[:200].replace("\0", "") for outcome in outcomes]),
        },
    )
    row = rows[0] if rows else None
    if row is None:
        raise LeaseLost(f"Batch {lease.batch_id} is no longer leased with fence {lease.fence}.")
    return Journaled(row[0], (row[1], row[2]), row[3])


def end_lease(lease: Lease, *, due_at: datetime | None = None) -> None:
    """The batch is finished or back to pending (not before `due_at`) and its tally is counted; raises LeaseLost."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(END, {"batch": lease.batch_id, "fence": lease.fence, "due": due_at})
        if cursor.rowcount == 0:
            raise LeaseLost(f"Batch {lease.batch_id} is no longer leased with fence {lease.fence}.")
        tally(cursor, lease.campaign_id, lease.batch_id)


def tally(cursor: CursorWrapper, campaign_id: int, batch_id: int) -> None:
    """The batch's counts equal its outcome rows afterwards."""
    lock_batch(cursor, batch_id)
    cursor.execute(TALLY, {"campaign": campaign_id, "batch": batch_id})


def lock_batch(cursor: CursorWrapper, batch_id: int) -> None:
    """Nobody else changes the batch or its outcomes until the transaction ends; lock it before its outcomes."""
    cursor.execute(LOCK_BATCH, [batch_id])


def _not_written(lease: Lease, settled: Sequence[Settled]) -> list[Settled]:
    positions = [item.position for item in settled]
    with connection.cursor() as cursor:
        cursor.execute(ALREADY_WRITTEN, [lease.campaign_id, lease.batch_id, positions])
        written = {row[0] for row in cursor.fetchall()}
    return [item for item in settled if item.position not in written]


def reply_to_keep(outcome: Outcome) -> str:
    """Plain acceptances say the same a million times: their words are not kept. PostgreSQL cannot store NUL."""
    return "" if outcome.result is Result.ACCEPTED else outcome.text[:500].replace("\0", "")


def _defer(cursor: CursorWrapper, lease: Lease, item: Settled) -> None:
    cursor.execute(
        DEFER,
        [
            lease.campaign_id,
            item.contact_id,
            lease.route_id,
            lease.batch_id,
            item.position,
            # Moved to a batch of its site: no attempt was made.
            lease.attempt if item.site is None else lease.attempt - 1,
            item.account_id,
            item.source_id,
            item.same_source,
            lease.site if item.site is None else item.site,
            item.category,
            item.outcome.text[:500].replace("\0", ""),
            item.due_at,
        ],
    )


def worker_name() -> str:
    """A name for this process's leases, unique per start."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:4]}"
