"""What the rules must know beside the hits themselves: when messages left, their links, earlier clicks, domains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection

from delivery.tracking.crowds import may_sweep, own_domain, spans
from delivery.tracking.hits import Hit
from delivery.tracking.verdicts import REACH_SECONDS, MessageKey, Verdict

# A message's time matters for seconds only: campaigns that ended before are not asked about.
YOUNG = """
SELECT id FROM campaigns_campaign
WHERE id = ANY(%s) AND (finished_at IS NULL OR finished_at > to_timestamp(%s) - interval '1 minute')
"""

SENT_AT = """
SELECT m.campaign_id, m.contact_id, extract(epoch FROM o.at)::float8
FROM (SELECT DISTINCT unnest(%s::bigint[]) AS campaign_id, unnest(%s::bigint[]) AS contact_id) h
JOIN delivery_message m ON m.campaign_id = h.campaign_id AND m.contact_id = h.contact_id
JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
"""

N_LINKS = "SELECT campaign_id, count(*) FROM delivery_link WHERE campaign_id = ANY(%s) GROUP BY campaign_id"

HIT_COLUMNS = (
    "e.event_key, extract(epoch FROM e.occurred_at)::float8, e.kind, e.campaign_id, e.contact_id, e.link_index,"
    " e.network, e.user_agent, e.details, e.category, e.occurred_at, e.verdict, e.verdict_reason, e.rules_version"
)

EARLIER_CLICKS = f"""
SELECT {HIT_COLUMNS}
FROM (SELECT DISTINCT unnest(%s::bigint[]) AS campaign_id, unnest(%s::bigint[]) AS contact_id) h
JOIN delivery_event e ON e.campaign_id = h.campaign_id AND e.kind = 'clicked' AND e.contact_id = h.contact_id
WHERE e.occurred_at >= %s AND e.occurred_at <= %s
"""  # noqa: S608 - built of constants

DOMAINS = "SELECT id, domain FROM contacts_contact WHERE id = ANY(%s)"

# Clicks of one campaign from one network around a time: the index clicks_of_a_network, walked span by span. OFFSET 0
# keeps the planner from joining the whole campaign's clicks instead.
NEIGHBOURS = f"""
SELECT {HIT_COLUMNS}
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[]) AS s (campaign_id, network, low, high)
CROSS JOIN LATERAL (
    SELECT * FROM delivery_event WHERE campaign_id = s.campaign_id AND network = s.network AND kind = 'clicked'
        AND occurred_at BETWEEN s.low AND s.high OFFSET 0
) e
JOIN contacts_contact c ON c.id = e.contact_id AND c.domain = ANY(%s)
"""  # noqa: S608 - built of constants

JUDGED_ANEW = """
UPDATE delivery_event e SET verdict = n.verdict, verdict_reason = n.reason, rules_version = %s
FROM unnest(%s::timestamptz[], %s::uuid[], %s::text[], %s::text[]) AS n (occurred_at, event_key, verdict, reason)
WHERE e.occurred_at = n.occurred_at AND e.event_key = n.event_key
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in the table, as the hit it was, with the verdict it has."""

    hit: Hit
    occurred_at: datetime
    event_key: UUID
    verdict: Verdict
    rules_version: int


def kept_of(row: Sequence[Any]) -> Kept:
    """A row of HIT_COLUMNS. A provider's clicks have no request behind them: they count as plain GETs."""
    key, at, kind, campaign_id, contact_id, link, network, agent, details, label, occurred_at, *verdict = row
    details = json.loads(details)  # Django's cursors hand jsonb over as text
    hit = Hit(
        key=key.bytes,
        at=at,
        kind="honeypot" if _is_trap(details) else kind,
        campaign_id=campaign_id,
        contact_id=contact_id,
        link_index=link,
        network=network,
        user_agent=agent,
        method=details.get("method", "GET"),
        purpose=details.get("purpose", ""),
        label=label,
    )
    return Kept(hit, occurred_at, key, Verdict(verdict[0], verdict[1]), verdict[2])


def _is_trap(details: dict[str, Any]) -> bool:
    """Whether it was the hidden link: asked of us, or seen by a provider that wrapped our address in its own."""
    return bool(details.get("trap")) or urlsplit(str(details.get("url", ""))).path.startswith("/h/")


def sent_times(hits: Iterable[Hit], *, young_only: bool = True) -> dict[MessageKey, float]:
    """When the messages were accepted; those of campaigns too old for it to matter are left out unless asked for."""
    asked = list(hits)
    if not asked:
        return {}
    with connection.cursor() as cursor:
        if young_only:
            cursor.execute(YOUNG, [list({hit.campaign_id for hit in asked}), min(hit.at for hit in asked)])
            young = {row[0] for row in cursor.fetchall()}
            asked = [hit for hit in asked if hit.campaign_id in young]
        if not asked:
            return {}
        cursor.execute(SENT_AT, [[hit.campaign_id for hit in asked], [hit.contact_id for hit in asked]])
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def link_counts(campaign_ids: Iterable[int]) -> dict[int, int]:
    """How many tracked links each campaign has."""
    with connection.cursor() as cursor:
        cursor.execute(N_LINKS, [list(set(campaign_ids))])
        return dict(cursor.fetchall())


def clicks_around(hits: Iterable[Hit]) -> list[Kept]:
    """Clicks on record that these clicks may shed light on, and the other way round."""
    clicks = [hit for hit in hits if hit.kind != "opened"]
    if not clicks:
        return []
    reach = timedelta(seconds=REACH_SECONDS)
    low = datetime.fromtimestamp(min(hit.at for hit in clicks), UTC) - reach
    high = datetime.fromtimestamp(max(hit.at for hit in clicks), UTC) + reach
    with connection.cursor() as cursor:
        people = ([hit.campaign_id for hit in clicks], [hit.contact_id for hit in clicks])
        cursor.execute(EARLIER_CLICKS, [*people, low, high])
        return [kept_of(row) for row in cursor.fetchall()]


def own_domains(hits: Iterable[Hit]) -> dict[int, str]:
    """The recipient domains of those whose clicks may be part of a sweep."""
    people = {hit.contact_id for hit in hits if may_sweep(hit)}
    if not people:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(DOMAINS, [list(people)])
        return {contact: domain for contact, text in cursor.fetchall() if (domain := own_domain(text))}


def clicks_beside(hits: Iterable[Hit], domains: Mapping[int, str]) -> list[Kept]:
    """Clicks on record from the same networks, around the same time, by people of the same domains."""
    found = spans(hit for hit in hits if hit.contact_id in domains and may_sweep(hit))
    if not found:
        return []
    campaigns, networks, lows, highs = zip(*found, strict=True)
    times = [[datetime.fromtimestamp(at, UTC) for at in ats] for ats in (lows, highs)]
    with connection.cursor() as cursor:
        cursor.execute(NEIGHBOURS, [list(campaigns), list(networks), *times, list(set(domains.values()))])
        return [kept_of(row) for row in cursor.fetchall()]


def write_verdicts(judged: Sequence[tuple[Kept, Verdict]], version: int) -> int:
    """The events carry these verdicts afterwards; returns how many rows that were."""
    if not judged:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            JUDGED_ANEW,
            [
                version,
                [kept.occurred_at for kept, _ in judged],
                [kept.event_key for kept, _ in judged],
                [verdict.verdict for _, verdict in judged],
                [verdict.reason for _, verdict in judged],
            ],
        )
        return int(cursor.rowcount)
