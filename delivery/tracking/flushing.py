"""From Redis to PostgreSQL: hits are taken in slices, judged, and appended; a flush that dies loses nothing."""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import chain
from typing import cast

from django.db import IntegrityError, connection, transaction
from redis import Redis

from delivery.tracking.appending import copy_hits, copy_new_hits
from delivery.tracking.evidence import (
    Kept,
    clicks_around,
    clicks_beside,
    link_counts,
    own_domains,
    sent_times,
    write_verdicts,
)
from delivery.tracking.hits import QUEUE, Hit, decode_hit
from delivery.tracking.rules import MACHINE, VERSION
from delivery.tracking.verdicts import Verdict, judge

SLICE = 20_000
MAX_SLICES = 40
# Slices that were taken and not yet committed, by the time they were taken. A slice is deleted, whole, after its
# commit; two flushes that meet on one slice write the same rows once.
TAKEN = "fanfare:hits:taken"
ABANDONED_SECONDS = 60
UNREADABLE = "fanfare:hits:unreadable"

# A queue no longer than a slice is renamed, whatever its length; unpack() holds 8,000 values at most.
TAKE_SLICE = """
local n = redis.call('LLEN', KEYS[1])
if n == 0 then return 0 end
local wanted = tonumber(ARGV[1])
if n <= wanted then
    redis.call('RENAME', KEYS[1], KEYS[2])
else
    n = 0
    while n < wanted do
        local raw = redis.call('LPOP', KEYS[1], math.min(5000, wanted - n))
        redis.call('RPUSH', KEYS[2], unpack(raw))
        n = n + #raw
    end
end
redis.call('ZADD', KEYS[3], ARGV[2], KEYS[2])
return n
"""

# One flush at a time between reading earlier clicks and writing its own: a burst that two slices share is seen whole.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('fanfare hits'))"


def flush_hits(redis: Redis, *, now: datetime) -> int:
    """Hits that were in Redis when the flush began are events afterwards; returns how many hits were flushed."""
    abandoned = cast("list[bytes]", redis.zrangebyscore(TAKEN, "-inf", now.timestamp() - ABANDONED_SECONDS))
    n_flushed = sum(_flush_slice(redis, name.decode(), now, fresh=False) for name in abandoned)
    take = redis.register_script(TAKE_SLICE)
    for _ in range(MAX_SLICES):
        name = f"fanfare:hits:{uuid.uuid4().hex}"
        if not take(keys=[QUEUE, name, TAKEN], args=[SLICE, now.timestamp()]):
            break
        n_flushed += _flush_slice(redis, name, now, fresh=True)
    return n_flushed


def _flush_slice(redis: Redis, name: str, now: datetime, *, fresh: bool) -> int:
    raw = cast("list[bytes]", redis.lrange(name, 0, -1))
    hits = [hit for hit in map(decode_hit, raw) if hit is not None]
    unreadable = [entry for entry in raw if decode_hit(entry) is None] if len(hits) < len(raw) else []
    try:
        append_hits(hits, now=now, fresh=fresh)
    except IntegrityError:
        # Some are there: another flush took this slice for abandoned, or a hit was pushed twice around an outage.
        append_hits(hits, now=now, fresh=False)
    with redis.pipeline(transaction=True) as pipe:
        if unreadable:  # another version's, or somebody else's: kept, so that a person can look
            pipe.rpush(UNREADABLE, *unreadable)
        pipe.delete(name)
        pipe.zrem(TAKEN, name)
        pipe.execute()
    return len(raw)


@transaction.atomic
def append_hits(hits: list[Hit], *, now: datetime, fresh: bool) -> None:
    """The hits are events with a verdict afterwards, and clicks on record that they shed light on are judged anew."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
    new_keys = {hit.key for hit in hits} if not fresh else set()
    domains = own_domains(hits)
    beside = clicks_beside(hits, domains)
    domains |= own_domains(kept.hit for kept in beside)
    known = {kept.hit.key: kept for kept in chain(clicks_around(hits), beside)}
    earlier = [kept for kept in known.values() if kept.hit.key not in new_keys]
    n_links = link_counts(hit.campaign_id for hit in hits)
    everything = [*hits, *(kept.hit for kept in earlier)]
    verdicts = judge(everything, sent_at=sent_times(everything), n_links=n_links, domains=domains)
    write = copy_hits if fresh else copy_new_hits
    write(zip(hits, verdicts, strict=False), now=now)
    folded = zip(earlier, verdicts[len(hits) :], strict=True)
    write_verdicts([(kept, verdict) for kept, verdict in folded if _is_news(kept, verdict)], VERSION)


def _is_news(kept: Kept, verdict: Verdict) -> bool:
    """New evidence makes machines of people, never the other way round: what made a machine may be out of sight."""
    return verdict.verdict == MACHINE and kept.verdict.verdict != MACHINE
