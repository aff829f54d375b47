"""What the monitoring page shows: accounts, paths to sites, measures, deferrals, processes; all read, nothing kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.db import connection
from redis import Redis

from delivery.limits.connections import count_connections
from delivery.limits.permits import quota_used
from delivery.models import ProviderAccount, Route, ShapingMeasure, SitePace, SiteProfile
from delivery.sending import presence
from delivery.sending.counts import Hour, Path, read_hour, read_rates
from delivery.services.accounts import hold_of
from delivery.shaping.effective import Effective, shape_path
from delivery.shaping.pace import FULL
from delivery.shaping.profiles import DEFAULT, Profile
from delivery.site_names import provider_label

# A bounded look at what waits: more deferred messages than this are shown as "and more".
MOST_DEFERRED = 20_000

# The partial index of waiting deferrals, oldest due first.
DEFERRED = """
SELECT account_id, site, category, count(*), max(reply), min(due_at) FROM (
    SELECT account_id, site, category, reply, due_at FROM delivery_deferral WHERE taken_at IS NULL
    ORDER BY due_at LIMIT %s) AS waiting
GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 40
"""

QUEUED = """
SELECT b.route_id, coalesce(sum(b.n_messages - b.n_begun) FILTER (WHERE b.state = 'pending'), 0),
    count(DISTINCT b.campaign_id)
FROM delivery_batch b JOIN campaigns_campaign c ON c.id = b.campaign_id
WHERE c.state = 'sending' AND b.state IN ('pending', 'leased') GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One provider account now and over the last hour."""

    account: ProviderAccount
    routes: Sequence[str]
    hold: str  # why nothing is sent with it, or empty
    rate: float
    connections: int
    used_today: int | None  # None: Redis does not know, which means none since it was emptied
    hour: Mapping[str, int]

    @property
    def status(self) -> tuple[str, str]:
        """The chip's tone and label."""
        if not self.account.enabled:
            return "", "Switched off"
        if self.hold:
            return "bad", "Stopped"
        return ("busy", "Sending") if self.rate else ("good", "Ready")

    @property
    def limits(self) -> str:
        """Its rates in words."""
        account = self.account
        rates = (
            (account.messages_per_second, "second"),
            (account.messages_per_minute, "minute"),
            (account.messages_per_hour, "hour"),
        )
        return ", ".join(f"{count:g} a {period}" for count, period in rates if count) or "no limit"

    @property
    def quota_percent(self) -> int:
        """Of today's quota used."""
        return min(100, 100 * (self.used_today or 0) // (self.account.messages_per_day or 1))


@dataclass(frozen=True, slots=True)
class PathLine:
    """One account's way to one recipient site."""

    account: ProviderAccount
    site: str
    rate: float
    shaped: Effective
    factor: float
    hour: Mapping[str, int]
    measures: Sequence[ShapingMeasure] = ()

    @property
    def label(self) -> str:
        """The site as people know it."""
        return provider_label(self.site) if self.site else "All smaller sites"

    @property
    def limit(self) -> str:
        """What holds for it now, in words."""
        if self.shaped.suspended is not None:
            return "suspended"
        per_second = self.shaped.messages_per_second
        if per_second is None:
            return "no limit of its own"
        return f"{per_second:g} a second" if per_second >= 1 else f"{per_second * 60:.3g} a minute"


@dataclass(frozen=True, slots=True)
class DeferredLine:
    """Deferred messages that wait, with one reply."""

    account: str
    site: str
    category: str
    n: int
    reply: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A route with what is queued on it."""

    route: Route
    n_queued: int
    n_campaigns: int
    n_drains: int


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that the page shows."""

    accounts: Sequence[AccountLine]
    paths: Sequence[PathLine]
    measures: Sequence[ShapingMeasure]
    deferred: Sequence[DeferredLine]
    routes: Sequence[RouteLine]
    hour: Hour
    processes: Sequence[presence.Process] = field(default=())
    beat_s: float | None = None
    redis_policy: str = ""


def read_health(redis: Redis, *, now: datetime) -> Health:
    """The page's figures; a few queries whose cost does not grow with messages. Raises RedisError."""
    hour, rates = read_hour(redis), read_rates(redis)
    accounts = list(ProviderAccount.objects.defer("secrets").prefetch_related("routes"))
    measures = list(_running_measures(now))
    return Health(
        accounts=[_account_line(redis, account, hour, rates, now) for account in accounts],
        paths=_path_lines({account.pk: account for account in accounts}, hour, rates, measures, now),
        measures=measures,
        deferred=deferred_lines({account.pk: account.name for account in accounts}),
        routes=_route_lines(redis),
        hour=hour,
        processes=presence.list_processes(redis),
        beat_s=presence.quiet_seconds(redis, presence.BEAT),
        redis_policy=memory_policy(redis),
    )


def memory_policy(redis: Redis) -> str:
    """Redis' maxmemory-policy; empty where its host lets nobody ask."""
    try:
        return str(cast("dict[str, str]", redis.config_get("maxmemory-policy")).get("maxmemory-policy", ""))
    except Exception as problem:  # noqa: BLE001 - hosted Redis has no CONFIG, each says so in its own way
        del problem
        return ""


def deferred_lines(names: Mapping[int, str]) -> list[DeferredLine]:
    """What waits, by account, site and category, most first."""
    with connection.cursor() as cursor:
        cursor.execute(DEFERRED, [MOST_DEFERRED])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [
        DeferredLine(names.get(account_id, "—"), provider_label(site) if site else "Smaller sites", category, *rest)
        for account_id, site, category, *rest in rows
    ]


def _running_measures(now: datetime) -> Any:
    running = ShapingMeasure.objects.filter(revoked_at=None, until__gt=now)
    return running.select_related("account", "source").defer("account__secrets").order_by("-began_at")[:50]


def _account_line(
    redis: Redis, account: ProviderAccount, hour: Hour, rates: Mapping[Path, float], now: datetime
) -> AccountLine:
    day = f"{now.astimezone(ZoneInfo(account.quota_timezone)):%Y-%m-%d}"
    return AccountLine(
        account=account,
        routes=[route.name for route in account.routes.all()],
        hold=hold_of(account, now=now),
        rate=sum(rate for (account_id, _), rate in rates.items() if account_id == account.pk),
        connections=count_connections(redis, f"account:{account.pk}"),
        used_today=quota_used(redis, f"account:{account.pk}", day) if account.messages_per_day else None,
        hour={name: hour.total(name, account_id=account.pk) for name in ("accepted", "deferred", "refused", "other")},
    )


def _path_lines(
    accounts: Mapping[int, ProviderAccount],
    hour: Hour,
    rates: Mapping[Path, float],
    measures: Sequence[ShapingMeasure],
    now: datetime,
) -> list[PathLine]:
    profiles = {row.site: row.value for row in SiteProfile.objects.all()}
    paces = {(row.account_id, row.site): row.value for row in SitePace.objects.filter(full_at__gt=now)}
    shaped = {(m.account_id, m.site) for m in measures if m.account_id and m.site} | set(paces)
    lines = []
    for account_id, site in sorted(set(hour.paths) | shaped):
        if account_id not in accounts:
            continue
        own = [m for m in measures if m.account_id in (None, account_id) and m.site in ("", site)]
        pace = paces.get((account_id, site), FULL)
        lines.append(
            PathLine(
                account=accounts[account_id],
                site=site,
                rate=rates.get((account_id, site), 0.0),
                shaped=shape_path(_profile(profiles, site), [m.as_measure for m in own], pace, now),
                factor=pace.factor,
                hour=Counter({name: sum(n) for name, n in hour.paths.get((account_id, site), {}).items()}),
                measures=own,
            )
        )
    return sorted(lines, key=lambda line: -sum(line.hour.values()))


def _profile(profiles: Mapping[str, Profile], site: str) -> Profile:
    return profiles.get(site) or profiles.get("") or DEFAULT


def _route_lines(redis: Redis) -> list[RouteLine]:
    with connection.cursor() as cursor:
        cursor.execute(QUEUED)
        queued = {route_id: (int(n), int(n_campaigns)) for route_id, n, n_campaigns in cursor.fetchall()}
    return [
        RouteLine(route, *queued.get(route.pk, (0, 0)), presence.count_drains(redis, route.pk))
        for route in Route.objects.all()
    ]
