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

# A link that was switched off leads on for this long at most.
FRESH_SECONDS = 5.0
KEPT_CAMPAIGNS = 500
# Long enough for a redirect to outlive any outage of PostgreSQL.
REDIS_SECONDS = 400 * 24 * 3600


class Unavailable(Exception):
    """Neither Redis nor PostgreSQL could say where a link leads."""


class Table(msgspec.Struct, frozen=True):
    """Enabled static links by index, and the links with a target in their address that were switched off."""

    targets: dict[int, str] = {}
    off: frozenset[int] = frozenset()


class LinkTable:
    """Looks link targets up; safe to share between threads."""

    def __init__(self, redis: Redis, outage: Outage) -> None:
        self._redis = redis
        self._outage = outage
        self._kept: OrderedDict[int, tuple[float, Table]] = OrderedDict()

    def target(self, campaign_id: int, index: int) -> str | None:
        """The URL of an enabled static link, or None; raises Unavailable."""
        table = self._table(campaign_id)
        if table is None:
            raise Unavailable
        return table.targets.get(index)

    def is_off(self, campaign_id: int, index: int) -> bool:
        """Whether a link with its target in its address was switched off; where nobody can say, it was not."""
        table = self._table(campaign_id)
        return table is not None and index in table.off

    def _table(self, campaign_id: int) -> Table | None:
        kept = self._kept.get(campaign_id)
        if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[1]
        table = self._load(campaign_id)
        if table is None:
            if kept is None:
                return None
            table = kept[1]  # old, and better than nothing
        self._kept[campaign_id] = (time.monotonic(), table)
        while len(self._kept) > KEPT_CAMPAIGNS:
            with contextlib.suppress(KeyError):  # another thread may have been faster
                self._kept.popitem(last=False)
        return table

    def _load(self, campaign_id: int) -> Table | None:
        try:
            raw = cast("bytes | None", self._redis.get(_key(campaign_id)))
        except RedisError:
            raw = None
        if raw is not None:
            return msgspec.msgpack.decode(raw, type=Table)
        if self._outage.holds():
            return None
        try:
            table = publish_links(self._redis, campaign_id)
        except DatabaseError:
            self._outage.note()
            return None
        self._outage.clear()
        return table


def publish_links(redis: Redis, campaign_id: int) -> Table:
    """The campaign's links are in Redis afterwards; called at planning and when a link is switched."""
    links = Link.objects.filter(campaign_id=campaign_id).values_list("index", "url", "dynamic", "disabled_at")
    table = Table(
        {index: url for index, url, dynamic, disabled_at in links if not dynamic and disabled_at is None},
        frozenset(index for index, _, dynamic, disabled_at in links if dynamic and disabled_at is not None),
    )
    with contextlib.suppress(RedisError):  # PostgreSQL has them; the next look-up publishes them
        redis.set(_key(campaign_id), msgspec.msgpack.encode(table), ex=REDIS_SECONDS)
    return table


def _key(campaign_id: int) -> str:
    return f"fanfare:links:{campaign_id}"
