"""What shaping remembers in Redis: replies per rule over the last hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from delivery.limits.errors import LimitsUnavailable

from .rules import Heard, Rule, target_of

_PREFIX = "fanfare:shaping:"
_HOUR_MINUTES = 60
_KEPT_S = 7200


def count_reply(redis: Redis, heard: Heard, rules: Sequence[Rule], now: datetime, *, n: int = 1) -> dict[str, int]:
    """Count `n` such replies for each of the (matching) rules on its target; gives the last 60 minutes' sums by key.

    One hash per rule and target with a field per minute: at most 120 fields. Raises LimitsUnavailable.
    """
    if not rules:
        return {}
    minute = int(now.timestamp()) // 60
    keys = [_counter_key(rule.key, target_of(rule.reach, heard)) for rule in rules]
    try:
        with redis.pipeline() as pipe:
            for key in keys:
                pipe.hincrby(key, str(minute), n)
                pipe.expire(key, _KEPT_S)
                pipe.hgetall(key)
            counts: list[Mapping[bytes | str, bytes | str]] = pipe.execute()[2::3]
            _forget_old(pipe, keys, counts, minute)
    except RedisError as error:
        raise LimitsUnavailable(str(error)) from error
    return {rule.key: _sum(fields, minute) for rule, fields in zip(rules, counts, strict=True)}


def forget_counters(redis: Redis, rule_key: str, target: str) -> None:
    """The rule starts from zero on this target: call it when a person revokes its measure. Raises LimitsUnavailable."""
    try:
        redis.delete(_counter_key(rule_key, target))
    except RedisError as error:
        raise LimitsUnavailable(str(error)) from error


def _counter_key(rule_key: str, target: str) -> str:
    return f"{_PREFIX}heard:{rule_key}:{target}"


def _sum(fields: Mapping[bytes | str, bytes | str], minute: int) -> int:
    return sum(int(n) for field, n in fields.items() if int(field) > minute - _HOUR_MINUTES)


def _forget_old(
    pipe: Pipeline, keys: Sequence[str], counts: Sequence[Mapping[bytes | str, bytes | str]], minute: int
) -> None:
    for key, fields in zip(keys, counts, strict=True):
        old = [field for field in fields if int(field) <= minute - _HOUR_MINUTES]
        if old:
            pipe.hdel(key, *old)
    pipe.execute()
