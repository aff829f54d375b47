"""Uncertain messages get an end: a later event shows that they arrived, or a person decides, on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from campaigns.models import Campaign
from campaigns.services import reopen_campaign
from delivery.models import Resolution
from delivery.queries import Uncertain, find_uncertain
from delivery.sending.late import Again, requeue_uncertain
from delivery.sending.ledger import lock_batch, tally

# Events come for weeks at most; what is older waits for a person.
LOOKED_FOR = timedelta(days=60)

# Whatever the message did after it left, the server had taken it. Hits of machines are left to people to judge.
PROOFS = ["delivered", "deferred", "bounced", "rejected", "failed", "complained", "unsubscribed", "auto_replied"]

# One line for each uncertain message with such an event; a bounce at SMTP time is a refusal and proves the contrary.
SHOWN_BY_EVENTS = """
SELECT o.campaign_id, o.batch_id, o.position, e.kind
FROM delivery_batch b
JOIN campaigns_campaign c ON c.id = b.campaign_id AND c.launched_at > %(since)s
JOIN delivery_outcome o ON o.campaign_id = b.campaign_id AND o.batch_id = b.id AND o.result = 5
JOIN LATERAL (
    SELECT v.kind FROM delivery_event v
    WHERE v.campaign_id = o.campaign_id AND v.contact_id = o.contact_id
    AND v.occurred_at >= c.launched_at - interval '1 hour'
    AND (v.kind = ANY(%(proofs)s) OR (v.kind IN ('opened', 'clicked') AND v.verdict <> 'machine'))
    AND v.details ->> 'stage' IS DISTINCT FROM 'smtp'
    ORDER BY v.occurred_at LIMIT 1) e ON true
WHERE b.n_uncertain > 0
ORDER BY o.campaign_id, o.batch_id, o.position LIMIT 5000
"""

ACCEPT = """
WITH settled AS (
    UPDATE delivery_outcome o SET result = 1
    FROM unnest(%(positions)s::smallint[], %(said_by)s::text[]) AS s (position, said_by)
    WHERE o.campaign_id = %(campaign)s AND o.batch_id = %(batch)s AND o.position = s.position AND o.result = 5
    RETURNING o.position, o.contact_id, s.said_by
)
INSERT INTO delivery_resolution (campaign_id, contact_id, batch_id, position, verdict, source, user_id, said_by,
    resolved_at)
SELECT %(campaign)s, contact_id, %(batch)s, position, 'accepted', %(source)s, %(user)s, said_by, %(now)s FROM settled
"""


LOCK = """
SELECT 1 FROM delivery_batch WHERE campaign_id = %s AND (n_uncertain > 0 OR state = 'leased') ORDER BY id FOR UPDATE
"""


class CannotSendAgain(Exception):
    """The campaign may not send any more; the text says why, in words for people."""


@transaction.atomic
def accept_by_events(*, now: datetime) -> int:
    """Uncertain messages with an event that only a received message can have are accepted; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(SHOWN_BY_EVENTS, {"since": now - LOOKED_FOR, "proofs": PROOFS})
        by_batch: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
        for campaign_id, batch_id, position, kind in cursor.fetchall():
            by_batch[campaign_id, batch_id][position] = kind
        said = {"source": Resolution.Source.EVENT, "user": None, "now": now}
        return sum(_accept(cursor, *batch, kinds, said) for batch, kinds in sorted(by_batch.items()))


@transaction.atomic
def accept_uncertain(campaign_id: int, *, contact_id: int | None = None, by: User, now: datetime) -> int:
    """The campaign's uncertain messages (or one contact's) count as accepted, as `by` says; returns how many."""
    said = {"source": Resolution.Source.PERSON, "user": by.pk, "now": now}
    with connection.cursor() as cursor:
        return sum(
            _accept(cursor, campaign_id, batch_id, dict.fromkeys(positions, by.get_username()), said)
            for batch_id, positions in _by_batch(_locked(cursor, campaign_id, contact_id)).items()
        )


def _locked(cursor: CursorWrapper, campaign_id: int, contact_id: int | None) -> list[Uncertain]:
    """What is uncertain, and stays so until the transaction ends: whoever settles it locks its batch first."""
    cursor.execute(LOCK, [campaign_id])
    return find_uncertain(campaign_id, contact_id=contact_id)


def _accept(
    cursor: CursorWrapper, campaign_id: int, batch_id: int, said_by: dict[int, str], said: dict[str, Any]
) -> int:
    lock_batch(cursor, batch_id)
    which: dict[str, Any] = {"positions": list(said_by), "said_by": list(said_by.values())}
    cursor.execute(ACCEPT, {**said, **which, "campaign": campaign_id, "batch": batch_id})
    n_accepted = int(cursor.rowcount)
    tally(cursor, campaign_id, batch_id)
    return n_accepted


def why_not_again(campaign: Campaign, *, now: datetime) -> str:
    """Why this campaign's messages may not be sent again, in words; an empty text if they may."""
    if campaign.state == Campaign.State.CANCELLED:
        return "This campaign was cancelled: nothing of it is sent any more."
    if campaign.launched_at is None:
        return "This campaign was not sent yet."
    if campaign.launched_at + timedelta(hours=campaign.expire_hours) <= now:
        return f"This campaign's messages are worth sending for {campaign.expire_hours} hours, and those are over."
    return ""


@transaction.atomic
def send_uncertain_again(campaign_id: int, *, contact_id: int | None = None, by: User, now: datetime) -> int:
    """The uncertain messages (or one contact's) wait for another attempt, as `by` decided; returns how many.

    Some people may get the message twice: that is the decision. A finished campaign sends again until they are done.
    Raises CannotSendAgain.
    """
    campaign = Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign_id)
    if problem := why_not_again(campaign, now=now):
        raise CannotSendAgain(problem)
    with connection.cursor() as cursor:
        found = _locked(cursor, campaign_id, contact_id)
        again = Again(f"Uncertain; {by.get_username()} decided to send it again.", "sent_again")
        for batch_id, positions in _by_batch(found).items():
            requeue_uncertain(cursor, campaign_id, batch_id, positions, again)
            tally(cursor, campaign_id, batch_id)
    Resolution.objects.bulk_create(_sent_again(campaign_id, item, by, now) for item in found)
    if found:
        reopen_campaign(campaign_id, now=now)
    return len(found)


def _sent_again(campaign_id: int, item: Uncertain, by: User, now: datetime) -> Resolution:
    return Resolution(
        campaign_id=campaign_id,
        contact_id=item.contact_id,
        batch_id=item.batch_id,
        position=item.position,
        verdict=Resolution.Verdict.SENT_AGAIN,
        source=Resolution.Source.PERSON,
        user=by,
        said_by=by.get_username(),
        resolved_at=now,
    )


def _by_batch(found: Sequence[Uncertain]) -> dict[int, list[int]]:
    batches: dict[int, list[int]] = defaultdict(list)
    for item in found:
        batches[item.batch_id].append(item.position)
    return dict(sorted(batches.items()))
