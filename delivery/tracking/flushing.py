"""From Redis to PostgreSQL: hits are taken in slices, judged, and appended; a flush that dies loses nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import cast

from django.db import connection
from redis import Redis

from delivery.events import NewEvent, append_events
from delivery.tracking.hits import QUEUE, Hit, decode_hit
from delivery.tracking.verdicts import VERSION, Trace, judge_together

SLICE = 5000
MAX_SLICES = 40
# Slices that were taken and not yet committed, by the time they were taken. A slice is deleted, whole, after its
# commit; two flushes that meet on one slice write the same rows once.
TAKEN = "fanfare:hits:taken"
ABANDONED_SECONDS = 60

TAKE_SLICE = """
local raw = redis.call('LPOP', KEYS[1], ARGV[1])
if not raw then return 0 end
redis.call('RPUSH', KEYS[2], unpack(raw))
redis.call('ZADD', KEYS[3], ARGV[2], KEYS[2])
return #raw
"""

# The accepted time of each message, for the too-soon rule; only campaigns young enough for it to matter are asked.
SENT_AT = """
SELECT m.campaign_id, m.contact_id, extract(epoch FROM o.at)::float8
FROM (SELECT DISTINCT unnest(%s::bigint[]) AS campaign_id, unnest(%s::bigint[]) AS contact_id) h
JOIN delivery_message m ON m.campaign_id = h.campaign_id AND m.contact_id = h.contact_id
JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
"""


def flush_hits(redis: Redis, *, now: datetime) -> int:
    """Hits that were in Redis when the flush began are events afterwards; returns how many hits were flushed."""
    abandoned = cast("list[bytes]", redis.zrangebyscore(TAKEN, "-inf", now.timestamp() - ABANDONED_SECONDS))
    n_flushed = 0
    for name in abandoned:
        n_flushed += _flush_slice(redis, name.decode(), now)
    take = redis.register_script(TAKE_SLICE)
    for _ in range(MAX_SLICES):
        fresh = f"fanfare:hits:{uuid.uuid4().hex}"
        if not take(keys=[QUEUE, fresh, TAKEN], args=[SLICE, now.timestamp()]):
            break
        n_flushed += _flush_slice(redis, fresh, now)
    return n_flushed


def _flush_slice(redis: Redis, name: str, now: datetime) -> int:
    raw = cast("list[bytes]", redis.lrange(name, 0, -1))
    append_events(_events([hit for hit in map(decode_hit, raw) if hit is not None]), now=now)
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(name)
        pipe.zrem(TAKEN, name)
        pipe.execute()
    return len(raw)


def _events(hits: list[Hit]) -> list[NewEvent]:
    sent_at = _sent_at(hits)
    traces = [
        Trace(
            hit.kind,
            hit.at,
            hit.campaign_id,
            hit.contact_id,
            hit.link_index,
            hit.network,
            hit.user_agent,
            hit.method,
            hit.purpose,
            sent_at.get((hit.campaign_id, hit.contact_id)),
        )
        for hit in hits
    ]
    return [
        NewEvent(
            kind="clicked" if hit.kind == "honeypot" else hit.kind,
            event_key=uuid.UUID(bytes=hit.key),
            occurred_at=datetime.fromtimestamp(hit.at, UTC),
            campaign_id=hit.campaign_id,
            contact_id=hit.contact_id,
            link_index=hit.link_index,
            verdict=verdict.verdict,
            verdict_reason=verdict.reason,
            rules_version=VERSION,
            network=hit.network,
            user_agent=hit.user_agent,
            details={"method": hit.method, "purpose": hit.purpose} if hit.purpose or hit.method != "GET" else {},
        )
        for hit, verdict in zip(hits, judge_together(traces), strict=True)
    ]


def _sent_at(hits: list[Hit]) -> dict[tuple[int, int], float]:
    with connection.cursor() as cursor:
        cursor.execute(SENT_AT, [[hit.campaign_id for hit in hits], [hit.contact_id for hit in hits]])
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}
