"""Which routes have work that may leave, and how many more drains they could use: hints, never authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from redis import Redis

from delivery.breaker import Circuit
from delivery.models import AccountBreaker, RouteMember, SourceAddress
from delivery.sending.presence import count_drains_of
from delivery.sending.standing import Path, Standing, read_standing

# More drains than this on one route gain nothing: two worker processes fill two cores.
DRAINS_PER_ROUTE = 8

# `held`: pairs of route and site to which no account of the route may send now.
WORK = """
SELECT r.id, (
    SELECT count(*) FROM (
        SELECT 1 FROM campaigns_campaign c JOIN delivery_batch b ON b.campaign_id = c.id
        WHERE c.state = 'sending' AND b.route_id = r.id AND b.state = 'pending' AND b.due_at <= now()
        AND NOT EXISTS (SELECT 1 FROM unnest(%(routes)s::bigint[], %(sites)s::text[]) h (route_id, site)
            WHERE h.route_id = b.route_id AND h.site = b.site)
        LIMIT %(most)s) AS found)
FROM delivery_route r WHERE r.id <> ALL(%(closed)s::bigint[])
"""

# Whether anything is held at all: the usual answer is no, and costs one statement.
HELD = """
SELECT EXISTS (SELECT 1 FROM delivery_shapingmeasure WHERE revoked_at IS NULL AND until > now() AND action = 'suspend')
OR EXISTS (SELECT 1 FROM delivery_provideraccount WHERE suspended_until > now())
OR EXISTS (SELECT 1 FROM delivery_accountbreaker WHERE circuit = 'open' AND until > now())
"""


@dataclass(frozen=True, slots=True)
class Held:
    """Routes on which nothing may leave now, and routes on which nothing may leave to a site."""

    closed: Sequence[int] = ()
    pairs: Sequence[tuple[int, str]] = ()


def routes_to_drain(*, now: datetime) -> dict[int, int]:
    """Route id to the number of drains worth starting now; none for what is suspended, whose end the next tick sees."""
    work = _count_work(Held())
    if work and _is_anything_held():
        work = _count_work(find_held(read_standing(now=now), now=now))
    if not work:
        return {}
    drains = count_drains_of(Redis.from_url(settings.REDIS_URL, socket_timeout=5), list(work))
    return {route: n - drains[route] for route, n in work.items()}


def find_held(standing: Standing, *, now: datetime) -> Held:
    """What no account of a route may send now."""
    pools = _pools()
    out = set(standing.suspended) | _broken(now)
    closed = [route for route, ways in pools.items() if {account_id for account_id, _ in ways} <= out]
    pairs = [
        (route, site)
        for route, ways in pools.items()
        for site in standing.shaped_sites
        if all(account in out or standing.suspension(Path(account, source, site)) for account, source in ways)
    ]
    return Held(closed, pairs)


def _pools() -> dict[int, list[tuple[int, int]]]:
    """Each route's ways: account and source address, 0 where the account has none."""
    sources: dict[int, list[int]] = {}
    for account_id, source_id in SourceAddress.objects.filter(enabled=True).values_list("account_id", "pk"):
        sources.setdefault(account_id, []).append(source_id)
    pools: dict[int, list[tuple[int, int]]] = {}
    for route_id, account_id in RouteMember.objects.values_list("route_id", "account_id"):
        pools.setdefault(route_id, []).extend((account_id, source) for source in sources.get(account_id, [0]))
    return pools


def _broken(now: datetime) -> set[int]:
    """Accounts whose breaker is open; when its time is over, a drain tries one message."""
    is_open = AccountBreaker.objects.filter(circuit=Circuit.OPEN, until__gt=now)
    return set(is_open.values_list("account_id", flat=True))


def _is_anything_held() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(HELD)
        row: Any = cursor.fetchone()
    return bool(row[0])


def _count_work(held: Held) -> dict[int, int]:
    routes, sites = [route for route, _ in held.pairs], [site for _, site in held.pairs]
    params: dict[str, Any] = {"routes": routes, "sites": sites, "closed": list(held.closed), "most": DRAINS_PER_ROUTE}
    with connection.cursor() as cursor:
        cursor.execute(WORK, params)
        return {route: n for route, n in cursor.fetchall() if n}
