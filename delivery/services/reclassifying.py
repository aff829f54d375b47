"""Bounces of the past judged by today's rules: mails are read again, everything else from what its event kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from contacts.models import Contact, Suppression
from delivery.inbound.classify import Verdict
from delivery.inbound.rejudge import StoredBounce, rejudge
from delivery.inbound.rules import RULES_VERSION
from delivery.inbound.taxonomy import suppresses
from delivery.models import Receipt
from delivery.services.consequences import apply_consequence
from delivery.services.receiving import process_group, read_again
from delivery.tracking.tokens import MessageRef

STEP = 500

OLD = """
SELECT e.occurred_at, e.event_key, e.kind, e.contact_id, e.campaign_id, e.category, e.enhanced, e.reply, e.details,
    r.id
FROM delivery_event e LEFT JOIN delivery_receipt r ON r.id = e.receipt_id AND r.kind = 'mail'
WHERE e.kind IN ('bounced', 'deferred', 'rejected') AND e.occurred_at >= %(since)s
AND (%(all)s OR e.rules_version < %(version)s) AND (e.occurred_at, e.event_key) > (%(at)s, %(key)s)
ORDER BY e.occurred_at, e.event_key LIMIT %(limit)s
"""

JUDGED = """
UPDATE delivery_event SET bounce_kind = %s, category = %s, rules_version = %s, details = details || %s::jsonb
WHERE occurred_at = %s AND event_key = %s
"""


class OldBounce(NamedTuple):
    """A row of OLD; `mail` is the receipt that can be read again."""

    occurred_at: datetime
    event_key: UUID
    kind: str
    contact_id: int | None
    campaign_id: int | None
    category: str
    enhanced: str
    reply: str
    details: str
    mail: int | None


@dataclass
class Reclassified:
    """What came of it: how many were judged, (old, new) categories that differ, and suppressions.

    `doubtful`: contacts who are suppressed for a bounce that by today's rules would not have done it.
    """

    n_judged: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_suppressed: int = 0
    doubtful: set[int] = field(default_factory=set)


def reclassify_bounces(*, since: datetime, everything: bool, dry_run: bool, now: datetime) -> Reclassified:
    """All bounces since then that older rules judged (or all) have today's verdict; replays of this change nothing.

    Who is dead by today's rules is suppressed. Nobody is freed: that a person does.
    """
    done = Reclassified()
    for step in _steps(since, everything):
        with transaction.atomic():
            for bounce in step:
                _judge(bounce, done, dry_run, now)
        mails = sorted({bounce.mail for bounce in step if bounce.mail is not None})
        if mails and not dry_run:
            read_again(Receipt.objects.filter(pk__in=mails))
            process_group(mails, now)
    return done


def _steps(since: datetime, everything: bool) -> Iterator[Sequence[OldBounce]]:
    """In order of time and key, so that what a step changes never comes again."""
    at, key = since, UUID(int=0)
    while True:
        params: dict[str, Any] = {
            "since": since, "all": everything, "version": RULES_VERSION, "at": at, "key": key, "limit": STEP,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(OLD, params)
            found = [OldBounce._make(row) for row in cursor.fetchall()]
        if not found:
            return
        yield found
        at, key = found[-1].occurred_at, found[-1].event_key


def _judge(bounce: OldBounce, done: Reclassified, dry_run: bool, now: datetime) -> None:
    details: dict[str, Any] = json.loads(bounce.details) if isinstance(bounce.details, str) else dict(bounce.details)
    verdict = rejudge(StoredBounce(bounce.kind, bounce.reply, bounce.enhanced, details))
    done.n_judged += 1
    if verdict.category != bounce.category:
        done.changes[bounce.category, str(verdict.category)] += 1
        _note_doubt(bounce, verdict, done)
    if dry_run or bounce.mail is not None:
        return
    _write(bounce, verdict)
    if verdict.category != bounce.category and bounce.kind != "deferred" and suppresses(verdict.category):
        done.n_suppressed += _apply(bounce, verdict, now)


def _write(bounce: OldBounce, verdict: Verdict) -> None:
    noted = json.dumps({"rule": verdict.rule_id})
    values: list[Any] = [verdict.kind, str(verdict.category), verdict.rules_version, noted]
    with connection.cursor() as cursor:
        cursor.execute(JUDGED, [*values, bounce.occurred_at, bounce.event_key])


def _note_doubt(bounce: OldBounce, verdict: Verdict, done: Reclassified) -> None:
    was_hard = bounce.category in ("invalid_recipient", "bad_domain")
    if not was_hard or suppresses(verdict.category) or bounce.contact_id is None:
        return
    contact = Contact.objects.filter(pk=bounce.contact_id).only("address_key").first()
    held = Suppression.objects.filter(lifted_at=None, reason="hard_bounce")
    if contact is not None and held.filter(address_key=contact.address_key).exists():
        done.doubtful.add(contact.pk)


def _apply(bounce: OldBounce, verdict: Verdict, now: datetime) -> bool:
    if bounce.contact_id is None or bounce.campaign_id is None:
        return False
    ref = MessageRef(bounce.campaign_id, bounce.contact_id)
    return apply_consequence(ref, verdict, source="reclassified", evidence={"words": bounce.reply[:300]}, now=now)


EVER = datetime(2000, 1, 1, tzinfo=UTC)
