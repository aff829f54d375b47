"""Permits for messages: many per Redis call, at several scopes at once, given back when not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from .errors import LimitsUnavailable
from .script import Arg, Script
from .values import Grant, Limit, Quota, Refusal, Scope, Share

_TAKE = Script("take.lua")
_GIVE_BACK = Script("give_back.lua")
_PREFIX = "fanfare:limits:"
_QUOTA_KEPT_S = 48 * 3600  # longer than any calendar day in any zone


@dataclass(frozen=True, slots=True)
class Ask:
    """What `take` is asked for: `n` permits at `scopes`, narrowest first (campaign, site, source, account).

    `least` is the smallest grant worth having, so that a fast sender is not woken for one permit; where a limit's burst
    is smaller, the burst counts. With `share`, the last scope is shared between claimants by weight and lane.
    """

    scopes: tuple[Scope, ...]
    n: int
    least: int = 1
    share: Share | None = None

    def __post_init__(self) -> None:
        if self.n < 1 or self.least < 1:
            raise ValueError(f"nothing is asked for: {self!r}")


def take(redis: Redis, ask: Ask, *, now_us: int = 0) -> Grant:
    """Up to `ask.n` permits, as many as every scope allows, charged to all of them in one atomic call.

    `now_us` replaces Redis' clock (microseconds since 1970) where a test needs its own. Raises LimitsUnavailable.
    """
    path = _Path(ask.scopes)
    if not path.windows:
        return Grant(n=ask.n, at_us=now_us)
    for _ in range(len(path.quotas) + 1):
        answer = _TAKE.run(redis, path.keys(ask.share), path.args(ask, now_us))
        if answer[1] >= -1:
            return path.grant(answer)
        path.seed(redis, -1 - answer[1])  # a quota that Redis does not know
    raise LimitsUnavailable("Redis forgets quotas as soon as they are written")


def take_many(redis: Redis, asks: Sequence[Ask], *, now_us: int = 0) -> list[Grant]:
    """The grants for several asks (one per site of a mixed batch) in one round trip. Raises LimitsUnavailable."""
    paths = [_Path(ask.scopes) for ask in asks]
    calls = [
        (path.keys(ask.share), path.args(ask, now_us)) for path, ask in zip(paths, asks, strict=True) if path.windows
    ]
    answers = iter(_TAKE.run_many(redis, calls)) if calls else iter(())
    grants = []
    for path, ask in zip(paths, asks, strict=True):
        answer = next(answers) if path.windows else [ask.n, 0, 0, now_us]
        grants.append(path.grant(answer) if answer[1] >= -1 else take(redis, ask, now_us=now_us))
    return grants


def give_back(redis: Redis, ask: Ask, n: int) -> None:
    """Permits taken with `ask` and not used may be taken by others at once. Raises LimitsUnavailable."""
    path = _Path(ask.scopes)
    if not path.windows or n <= 0:
        return
    share = ask.share if path.fair_from else None
    member = f"{share.lane}:{share.claimant}" if share else ""
    args: list[Arg] = [n, len(path.limits), len(path.quotas), member, share.weight if share else 1]
    args += [_interval_us(limit) for _, limit in path.limits]
    _GIVE_BACK.run(redis, path.keys(ask.share), args)


def quota_used(redis: Redis, scope: str, day: str) -> int | None:
    """Permits of that calendar day so far, or None where Redis does not know. Raises LimitsUnavailable."""
    return quotas_used(redis, [(scope, day)])[scope]


def quotas_used(redis: Redis, asked: Sequence[tuple[str, str]]) -> dict[str, int | None]:
    """The same for many pairs of scope and day, in one round trip, by scope. Raises LimitsUnavailable."""
    if not asked:
        return {}
    try:
        used = redis.mget([_quota_key(scope, day) for scope, day in asked])
    except RedisError as error:
        raise LimitsUnavailable(str(error)) from error
    return {scope: None if n is None else int(n) for (scope, _), n in zip(asked, used, strict=True)}


class _Path:
    """The windows of some scopes in the order that take.lua numbers them: limits first, quotas behind."""

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self.limits = [(scope, window) for scope in scopes for window in scope.windows if isinstance(window, Limit)]
        self.quotas = [(scope, window) for scope in scopes for window in scope.windows if isinstance(window, Quota)]
        self.windows: list[tuple[Scope, Limit | Quota]] = [*self.limits, *self.quotas]
        self.shared = scopes[-1] if scopes else Scope("")
        self.fair_from = next((i for i, (scope, _) in enumerate(self.limits, 1) if scope is self.shared), 0)

    def keys(self, share: Share | None) -> list[str]:
        keys = [f"{_PREFIX}rate:{scope.key}:{limit.seconds:g}" for scope, limit in self.limits]
        keys += [_quota_key(scope.key, quota.day) for scope, quota in self.quotas]
        if share and self.fair_from:
            keys += [f"{_PREFIX}share:{self.shared.key}", f"{_PREFIX}asked:{self.shared.key}"]
        return keys

    def args(self, ask: Ask, now_us: int) -> list[Arg]:
        share = ask.share or Share("")
        args: list[Arg] = [ask.n, ask.least, now_us, len(self.limits), len(self.quotas)]
        args += [self.fair_from if ask.share else 0, share.claimant, share.weight, share.lane]
        args += _flat((_interval_us(limit), limit.burst_permits * _interval_us(limit)) for _, limit in self.limits)
        return args + _flat((quota.count, quota.ends_at) for _, quota in self.quotas)

    def seed(self, redis: Redis, number: int) -> None:
        """Write what the caller counted for the unknown quota, unless somebody else was quicker."""
        scope, quota = self.quotas[number - 1]
        n_used = quota.count_used()
        try:
            redis.set(_quota_key(scope.key, quota.day), n_used, nx=True, ex=_QUOTA_KEPT_S)
        except RedisError as error:
            raise LimitsUnavailable(str(error)) from error

    def grant(self, answer: list[int]) -> Grant:
        n, refuser, wait_us, at_us = answer
        if n:
            return Grant(n=n, at_us=at_us)
        scope, window = self.windows[refuser - 1] if refuser > 0 else (self.shared, None)
        return Grant(n=0, at_us=at_us, refused_by=Refusal(scope.key, window), wait_s=wait_us / 1_000_000)


def _quota_key(scope: str, day: str) -> str:
    return f"{_PREFIX}quota:{scope}:{day}"


def _interval_us(limit: Limit) -> float:
    return 1_000_000 / limit.per_second


def _flat(pairs: Iterable[tuple[float, float]]) -> list[Arg]:
    return [value for pair in pairs for value in pair]
