"""What servers said in receipts, after the event, is held against the shaping rules like what they said to us."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from redis import Redis

from delivery.events import NewEvent
from delivery.limits.errors import LimitsUnavailable
from delivery.queries import sites_of_contacts
from delivery.services.findings import Finding
from delivery.services.shaping import hear
from delivery.shaping.rules import Heard

log = structlog.get_logger()

# What a site said longer ago says nothing about it now: a provider that catches up on a day's webhooks slows nobody.
FRESH = timedelta(hours=1)
# "rejected" is left out: there the provider speaks for itself, no server of the site was asked.
SPOKEN = ("bounced", "deferred")


def overhear(findings: Sequence[Finding], *, now: datetime) -> bool:
    """New findings are heard, each once; True when a measure or a pace came of it.

    Call it after the events are committed. Without Redis nothing is counted and no event is lost.
    """
    events = [finding.event for finding in findings if _is_worth_hearing(finding.event, now)]
    if not events:
        return False
    sites = sites_of_contacts([event.contact_id for event in events if event.contact_id])
    counts = Counter(_heard(event, sites.get(event.contact_id or 0, "")) for event in events)
    redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    try:
        return hear(counts, redis=redis, now=now)
    except LimitsUnavailable as problem:
        log.warning("receipts not held against the shaping rules", n_events=len(events), problem=str(problem))
        return False
    finally:
        redis.close()


def _is_worth_hearing(event: NewEvent, now: datetime) -> bool:
    told = event.kind in SPOKEN and bool(event.reply) and event.account_id is not None
    return told and event.occurred_at > now - FRESH


def _heard(event: NewEvent, site: str) -> Heard:
    return Heard(words_of(event), site, event.account_id or 0, campaign_id=event.campaign_id)


def words_of(event: NewEvent) -> str:
    """Code and text as rules read them; without any code the event's kind says whether it was a 4 or a 5."""
    words = " ".join(event.reply.split())
    code = str((event.details or {}).get("code") or "")
    if code[:1] not in ("4", "5"):
        code = ""
    if words[:3].isdigit() and words[:1] in ("4", "5"):
        return words
    codes = [part for part in (code, event.enhanced) if part and not words.startswith(part)]
    return " ".join([*(codes or ["4.0.0" if event.kind == "deferred" else "5.0.0"]), words])
