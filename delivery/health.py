"""What the monitoring page shows: accounts, paths to sites, warm-ups, measures, deferrals, processes; all read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Prefetch
from redis import Redis

from delivery.health_lines import AccountLine, DeferredLine, PathLine, RouteLine, SourceLine, WarmUpLine, WayLine
from delivery.limits.connections import count_connections_at
from delivery.limits.permits import quotas_used
from delivery.models import ProviderAccount, Route, ShapingMeasure, SourceAddress
from delivery.sending import presence
from delivery.sending.counts import Hour, read_hour, read_rates
from delivery.sending.counts import Path as Pair
from delivery.sending.standing import Path, Standing, read_standing
from delivery.services.accounts import holds_of
from delivery.services.warming import today_of
from delivery.shaping.pace import FULL
from delivery.shaping.rules import Action, Reach
from delivery.site_names import provider_label

# A bounded look at what waits: more deferred messages than this are shown as "and more".
MOST_DEFERRED = 20_000
# Paths shown, the busiest first.
MOST_PATHS = 100

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
class Health:
    """Everything that the page shows."""

    accounts: Sequence[AccountLine]
    paths: Sequence[PathLine]
    warm_ups: Sequence[WarmUpLine]
    measures: Sequence[ShapingMeasure]
    deferred: Sequence[DeferredLine]
    routes: Sequence[RouteLine]
    hour: Hour
    n_paths: int = 0  # of which the busiest are shown
    processes: Sequence[presence.Process] = field(default=())
    beat_s: float | None = None
    redis_policy: str = ""


def read_health(redis: Redis, *, now: datetime) -> Health:
    """The page's figures; a few queries whose number and cost do not grow with accounts, sites or messages.

    Raises RedisError or LimitsUnavailable.
    """
    reading = _Reading(redis, now)
    return Health(
        accounts=reading.account_lines(),
        paths=reading.path_lines(),
        warm_ups=reading.warm_up_lines(),
        measures=list(_running_measures(now)),
        deferred=deferred_lines({account.pk: account.name for account in reading.accounts}),
        routes=reading.route_lines(),
        hour=reading.hour,
        n_paths=len(reading.pairs),
        processes=presence.list_processes(redis),
        beat_s=presence.quiet_seconds(redis, presence.BEAT),
        redis_policy=memory_policy(redis),
    )


class _Reading:
    """One look at everything: PostgreSQL first, then what Redis knows about it, each in a few round trips."""

    def __init__(self, redis: Redis, now: datetime) -> None:
        self._redis = redis
        self._now = now
        self.hour, self._rates = read_hour(redis), read_rates(redis)
        enabled = Prefetch("sources", SourceAddress.objects.filter(enabled=True), to_attr="used_sources")
        found = ProviderAccount.objects.defer("secrets", "hook_secrets").prefetch_related("routes", enabled)
        self.accounts: list[Any] = list(found)
        self._by_id = {account.pk: account for account in self.accounts}
        self._holds = holds_of(self.accounts, now=now)
        self._standing = read_standing(now=now)
        self.pairs = self._busiest()
        self._connections = count_connections_at(redis, self._slots())
        self._used = quotas_used(redis, self._quotas())

    def account_lines(self) -> list[AccountLine]:
        """All accounts."""
        results = ("accepted", "deferred", "refused", "other")
        return [
            AccountLine(
                account=account,
                routes=[route.name for route in account.routes.all()],
                hold=self._holds[account.pk],
                rate=sum(rate for (account_id, _), rate in self._rates.items() if account_id == account.pk),
                connections=self._connections[f"account:{account.pk}"],
                used_today=self._used.get(f"account:{account.pk}"),
                hour={name: self.hour.total(name, account_id=account.pk) for name in results},
                sources=[self._source_line(account, source) for source in account.used_sources],
            )
            for account in self.accounts
        ]

    def path_lines(self) -> list[PathLine]:
        """The busiest paths."""
        return [
            PathLine(
                account=self._by_id[account_id],
                site=site,
                rate=self._rates.get((account_id, site), 0.0),
                hour=_totals(self.hour, (account_id, site)),
                ways=[self._way(self._by_id[account_id], way) for way in _ways(self._by_id[account_id], site)],
            )
            for account_id, site in self.pairs[:MOST_PATHS]
        ]

    def warm_up_lines(self) -> list[WarmUpLine]:
        """All that are switched on."""
        lines = []
        for warm_up in self._standing.warm_ups:
            today = today_of(warm_up, now=self._now)
            used = self._used.get(f"warmup:{warm_up.pk}")
            lines.append(WarmUpLine(warm_up, warm_up.day_in_words(today), warm_up.cap_on(today), used))
        return lines

    def route_lines(self) -> list[RouteLine]:
        """All routes."""
        with connection.cursor() as cursor:
            cursor.execute(QUEUED)
            queued = {route_id: (int(n), int(n_campaigns)) for route_id, n, n_campaigns in cursor.fetchall()}
        routes = list(Route.objects.prefetch_related("members"))
        drains = presence.count_drains_of(self._redis, [route.pk for route in routes])
        return [
            RouteLine(route, self._rate_of(route), *queued.get(route.pk, (0, 0)), drains[route.pk]) for route in routes
        ]

    def _rate_of(self, route: Route) -> float:
        members = {member.account_id for member in route.members.all()}
        return sum(rate for (account_id, _), rate in self._rates.items() if account_id in members)

    def _busiest(self) -> list[Pair]:
        pairs = {*self.hour.paths, *self._shaped_pairs()}
        return sorted(
            (pair for pair in pairs if pair[0] in self._by_id),
            key=lambda pair: (-sum(_totals(self.hour, pair).values()), pair),
        )

    def _shaped_pairs(self) -> set[Pair]:
        """Paths that something holds back although nothing went over them in the last hour."""
        targets = [target.split(":") for target in (*self._standing.measures, *self._standing.paces)]
        named = [(parts[1], parts[-1]) for parts in targets if parts[0] in ("path", "site")]
        return {(int(account_id), site) for account_id, site in named if account_id.isdigit() and site}

    def _slots(self) -> list[str]:
        slots = [f"account:{account.pk}" for account in self.accounts]
        slots += [f"source:{source.pk}" for account in self.accounts for source in account.used_sources]
        return slots + [path.target(Reach.PATH) for path in self._all_ways()]

    def _quotas(self) -> list[tuple[str, str]]:
        """All scopes with a quota of today, each with the day in its account's zone."""
        days = {
            account.pk: f"{self._now.astimezone(ZoneInfo(account.quota_timezone)):%Y-%m-%d}"
            for account in self.accounts
        }
        asked = [(f"account:{account.pk}", days[account.pk]) for account in self.accounts]
        asked += [(f"source:{s.pk}", days[s.account_id]) for account in self.accounts for s in account.used_sources]
        asked += [(f"warmup:{w.pk}", days[w.account_id]) for w in self._standing.warm_ups]
        return asked + [(path.target(Reach.PATH), days[path.account_id]) for path in self._all_ways()]

    def _all_ways(self) -> list[Path]:
        return [way for pk, site in self.pairs[:MOST_PATHS] for way in _ways(self._by_id[pk], site)]

    def _source_line(self, account: ProviderAccount, source: SourceAddress) -> SourceLine:
        key = f"source:{source.pk}"
        return SourceLine(source, account, self._connections[key], self._used.get(key))

    def _way(self, account: Any, path: Path) -> WayLine:
        effective = self._standing.effective(path, account.messages_per_second)
        key = path.target(Reach.PATH)
        is_direct = bool(path.site) and self._standing.home_of(account.options.get("host", "")) == path.site
        return WayLine(
            source=next((source for source in account.used_sources if source.pk == path.source_id), None),
            shaped=effective,
            suspended=self._standing.suspension(path),
            per_second=_slowest(self._standing, path, effective.messages_per_second if path.site else None),
            factor=self._standing.paces.get(key, FULL).factor,
            connections=self._connections[key] if is_direct else None,
            used_today=self._used.get(key),
        )


def _ways(account: Any, site: str) -> list[Path]:
    return [Path(account.pk, source.pk if source else 0, site) for source in account.used_sources or [None]]


def _slowest(standing: Standing, path: Path, per_second: float | None) -> float | None:
    """The path's own rate under what measures on the site or the whole account lower it to."""
    lowered = [
        measure.value / 60
        for reach in (Reach.SITE, Reach.ACCOUNT)
        for measure in standing.measures_for(path, reach)
        if measure.action == Action.LOWER_RATE
    ]
    return min([*lowered, *([per_second] if per_second else [])], default=None)


def _totals(hour: Hour, pair: Pair) -> Counter[str]:
    return Counter({name: sum(n) for name, n in hour.paths.get(pair, {}).items()})


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
