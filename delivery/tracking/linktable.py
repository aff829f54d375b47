"""A campaign's link targets where the redirect finds them: process memory, then Redis, then PostgreSQL."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from typing import cast

import msgspec
from django.db import DatabaseError
from redis import Redis
from redis.exceptions import RedisError

from delivery.models import Link
from delivery.tracking.outage import Outage

FRESH_SECONDS = 30.0
KEPT_CAMPAIGNS = 500
# Long enough for a redirect to outlive any outage of PostgreSQL.
REDIS_SECONDS = 400 * 24 * 3600

Targets = dict[int, str]  # enabled static links by index


class Unavailable(Exception):
    """Neither Redis nor PostgreSQL could say where a link leads."""


class LinkTable:
    """Looks link targets up; safe to share between threads."""

    def __init__(self, redis: Redis, outage: Outage) -> None:
        self._redis = redis
        self._outage = outage
        self._kept: OrderedDict[int, tuple[float, Targets]] = OrderedDict()

    def target(self, campaign_id: int, index: int) -> str | None:
        """The URL of an enabled link, or None; raises Unavailable."""
        return self._targets(campaign_id).get(index)

    def _targets(self, campaign_id: int) -> Targets:
        kept = self._kept.get(campaign_id)
        if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[1]
        targets = self._load(campaign_id)
        if targets is None and kept is None:
            raise Unavailable
        if targets is None:
            targets = kept[1] if kept is not None else {}  # old, and better than nothing
        self._kept[campaign_id] = (time.monotonic(), targets)
        while len(self._kept) > KEPT_CAMPAIGNS:
            self._kept.popitem(last=False)
        return targets

    def _load(self, campaign_id: int) -> Targets | None:
        try:
            raw = cast("bytes | None", self._redis.get(_key(campaign_id)))
        except RedisError:
            raw = None
        if raw is not None:
            return msgspec.msgpack.decode(raw, type=Targets)
        if self._outage.holds():
            return None
        try:
            targets = publish_links(self._redis, campaign_id)
        except DatabaseError:
            self._outage.note()
            return None
        self._outage.clear()
        return targets


def publish_links(redis: Redis, campaign_id: int) -> Targets:
    """The campaign's enabled links are in Redis afterwards; called at planning and when a link is switched."""
    links = Link.objects.filter(campaign_id=campaign_id, dynamic=False, disabled_at=None)
    targets = dict(links.values_list("index", "url"))
    with contextlib.suppress(RedisError):  # PostgreSQL has them; the next look-up publishes them
        redis.set(_key(campaign_id), msgspec.msgpack.encode(targets), ex=REDIS_SECONDS)
    return targets


def _key(campaign_id: int) -> str:
    return f"fanfare:links:{campaign_id}"
