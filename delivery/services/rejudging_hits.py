"""History judged anew after a change of the rules: in batches of people, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from delivery.tracking.evidence import (
    HIT_COLUMNS,
    Kept,
    clicks_beside,
    kept_of,
    link_counts,
    own_domains,
    sent_times,
    write_verdicts,
)
from delivery.tracking.hits import Hit
from delivery.tracking.rules import PROVIDERS_WORD, VERSION
from delivery.tracking.verdicts import judge

PEOPLE_PER_BATCH = 1000

CAMPAIGNS = """
SELECT id FROM campaigns_campaign WHERE launched_at IS NOT NULL AND (%(since)s::timestamptz IS NULL
    OR EXISTS (SELECT 1 FROM delivery_event e WHERE e.campaign_id = campaigns_campaign.id
        AND e.kind IN ('opened', 'clicked') AND e.occurred_at >= %(since)s))
ORDER BY id
"""

# The next people with an open or a click, by key; each half walks the index (campaign, kind, contact).
PEOPLE = """
SELECT contact_id FROM (
    (SELECT DISTINCT contact_id FROM delivery_event WHERE campaign_id = %(campaign)s AND kind = 'opened'
        AND contact_id > %(after)s ORDER BY contact_id LIMIT %(limit)s)
    UNION
    (SELECT DISTINCT contact_id FROM delivery_event WHERE campaign_id = %(campaign)s AND kind = 'clicked'
        AND contact_id > %(after)s ORDER BY contact_id LIMIT %(limit)s)
) people ORDER BY contact_id LIMIT %(limit)s
"""

# Locked in the order of the key, so that a flush that folds evidence back waits instead of meeting us crosswise.
EVENTS = f"""
SELECT {HIT_COLUMNS} FROM delivery_event e
WHERE campaign_id = %s AND kind IN ('opened', 'clicked') AND contact_id = ANY(%s)
ORDER BY occurred_at, event_key FOR UPDATE
"""  # noqa: S608 - built of constants


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What one batch came to: events looked at, verdicts that differ now."""

    campaign_id: int
    n_events: int
    n_changed: int


def campaigns_to_reclassify(since: datetime | None) -> list[int]:
    """Launched campaigns, or those of them that were opened or clicked since then."""
    with connection.cursor() as cursor:
        cursor.execute(CAMPAIGNS, {"since": since})
        return [row[0] for row in cursor.fetchall()]


def reclassify_campaign(campaign_id: int, *, write: bool = True) -> Iterator[Reclassified]:
    """Every open and click of the campaign carries the verdict of today's rules afterwards; one step per batch."""
    after = 0
    while people := _people(campaign_id, after):
        yield _reclassify(campaign_id, people, write)
        after = people[-1]


def _people(campaign_id: int, after: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"campaign": campaign_id, "after": after, "limit": PEOPLE_PER_BATCH})
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _reclassify(campaign_id: int, people: list[int], write: bool) -> Reclassified:
    events = _events(campaign_id, people)
    hits, domains = _with_neighbours(events)
    verdicts = judge(hits, sent_at=_sent_at(events), n_links=link_counts([campaign_id]), domains=domains)
    judged = [
        (kept, kept.verdict if kept.verdict.reason in PROVIDERS_WORD else verdict)
        for kept, verdict in zip(events, verdicts, strict=False)
    ]
    changed = [(kept, verdict) for kept, verdict in judged if kept.verdict != verdict]
    if write:
        write_verdicts([(k, v) for k, v in judged if k.verdict != v or k.rules_version != VERSION], VERSION)
    return Reclassified(campaign_id, len(events), len(changed))


def _with_neighbours(events: list[Kept]) -> tuple[list[Hit], dict[int, str]]:
    """The batch's hits, then clicks of other people that may make a sweep with them; and whose domain is what."""
    hits = [kept.hit for kept in events]
    domains, known = own_domains(hits), {hit.key for hit in hits}
    others = [kept.hit for kept in clicks_beside(hits, domains) if kept.hit.key not in known]
    return hits + others, domains | own_domains(others)


def _events(campaign_id: int, people: list[int]) -> list[Kept]:
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [campaign_id, people])
        return [kept_of(row) for row in cursor.fetchall()]


def _sent_at(events: list[Kept]) -> dict[tuple[int, int], float]:
    return sent_times((kept.hit for kept in events), young_only=False)
