"""Findings become rows: events appended or replaced, suppressions and unsubscribes.

Runs in the transaction that settles the receipts. Only what is new has consequences: a replay of an old bounce must not
suppress an address that a person has freed since.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection

from delivery.events import append_new_events
from delivery.inbound.taxonomy import Category
from delivery.models import Event
from delivery.services.consequences import Answered, apply_consequences
from delivery.services.findings import Finding
from delivery.services.leaving import Wish, leave
from delivery.tracking.tokens import MessageRef

REPLACED = """
DELETE FROM delivery_event WHERE receipt_id = ANY(%s) RETURNING event_key, kind, category
"""

Old = dict[uuid.UUID, tuple[str, str]]


def apply_findings(findings: Sequence[Finding], *, read_before: Sequence[int], now: datetime) -> list[Finding]:
    """The findings' events are in the table, each once, and have had their consequences, once.

    `read_before`: receipts among them that were read before; their events are replaced by what they say now. Returns
    the findings that nobody had heard of: neither repeated calls nor receipts that are read again are among them.
    """
    old = _take_out(read_before)
    steady = [_with_first_moment(finding) if finding.moment_is_ours else finding for finding in findings]
    new = append_new_events([finding.event for finding in steady], now=now)
    fresh = [one for one in steady if one.event.event_key in new and _is_news(one, old)]
    for finding in fresh:
        if finding.verdict is not None and finding.verdict.category is Category.UNSUBSCRIBED:
            _leave(finding)
    for source in sorted({finding.source for finding in fresh}):
        answers = [answer for one in fresh if one.source == source and (answer := _answered(one)) is not None]
        apply_consequences(answers, source=source, now=now)
    return [one for one in fresh if one.event.receipt_id not in read_before]


def _take_out(receipt_ids: Sequence[int]) -> Old:
    if not receipt_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(REPLACED, [list(receipt_ids)])
        return {key: (kind, category) for key, kind, category in cursor.fetchall()}


def _with_first_moment(finding: Finding) -> Finding:
    """The same event under the moment when it was first heard of, for its row is found by moment and key."""
    event = finding.event
    known = Event.objects.filter(
        campaign_id=event.campaign_id, kind=event.kind, contact_id=event.contact_id, event_key=event.event_key
    )
    first = known.values_list("occurred_at", flat=True).first()
    return replace(finding, event=replace(event, occurred_at=first)) if first else finding


def _is_news(finding: Finding, old: Old) -> bool:
    """Whether it says something that an earlier reading of its receipt did not."""
    return old.get(finding.event.event_key) != (finding.event.kind, finding.event.category[:30])


def _leave(finding: Finding) -> None:
    """At the event's own time: who has come back since then stays."""
    event = finding.event
    if event.campaign_id is not None and event.contact_id is not None:
        leave(Wish(event.campaign_id, event.contact_id, source=finding.source), now=event.occurred_at)


def _answered(finding: Finding) -> Answered | None:
    event, verdict = finding.event, finding.verdict
    if verdict is None or verdict.category is Category.UNSUBSCRIBED:
        return None
    if event.campaign_id is None or event.contact_id is None:
        return None
    evidence = {"receipt": event.receipt_id, "words": finding.words[:300]}
    return Answered(MessageRef(event.campaign_id, event.contact_id), verdict, evidence, event.account_id)
