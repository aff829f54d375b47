"""Whose turn it is: campaigns on one route get batches by weight (stride scheduling over shared virtual times)."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

KEPT_SECONDS = 3600


class Turns:
    """The turns of one route, shared by all workers through one Redis hash of campaign id to virtual time.

    A campaign's virtual time grows by messages / weight; the smallest goes first. A newcomer starts at the smallest
    known time, so it neither starves nor catches up on what it missed.
    """

    def __init__(self, redis: Redis, route_id: int) -> None:
        self._redis = redis
        self._key = f"fanfare:turns:{route_id}"
        self._weights: dict[int, int] = {}

    def choose(self, candidates: Sequence[tuple[int, int]]) -> list[int]:
        """Campaign ids, the one whose turn it is first."""
        self._weights = dict(candidates)
        if len(candidates) < 2:
            return [campaign_id for campaign_id, _ in candidates]
        times = {int(key): float(value) for key, value in self._redis.hgetall(self._key).items()}
        active = [times[campaign_id] for campaign_id, _ in candidates if campaign_id in times]
        start = min(active, default=0.0)
        for campaign_id, _ in candidates:
            if campaign_id not in times or times[campaign_id] < start:
                self._redis.hset(self._key, str(campaign_id), start)
        return sorted(self._weights, key=lambda campaign_id: (times.get(campaign_id, start), campaign_id))

    def charge(self, campaign_id: int, n_messages: int) -> None:
        """The campaign got a batch of this many messages."""
        weight = self._weights.get(campaign_id, 1)
        with self._redis.pipeline() as pipe:
            pipe.hincrbyfloat(self._key, str(campaign_id), n_messages / weight)
            pipe.expire(self._key, KEPT_SECONDS)
            pipe.execute()
