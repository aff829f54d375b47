"""The members of a route's pool: its accounts, each once or once per source address, with rank and weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.models import ProviderAccount, RouteMember, SourceAddress
from delivery.sending.standing import Standing, read_standing


@dataclass(frozen=True, slots=True)
class PoolMember:
    """What one channel is made of."""

    account: ProviderAccount
    source: SourceAddress | None
    rank: int
    weight: float

    @property
    def key(self) -> tuple[int, int]:
        """Account and source address."""
        return self.account.pk, self.source.pk if self.source else 0

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.account.name} from {self.source.address}" if self.source else self.account.name


@dataclass(frozen=True, slots=True)
class RoutePool:
    """A route's usable members, and what held when they were read."""

    members: Sequence[PoolMember]
    standing: Standing
    why_empty: str

    @property
    def accounts(self) -> list[ProviderAccount]:
        """Each account once."""
        return list({member.account.pk: member.account for member in self.members}.values())

    @property
    def sources(self) -> list[SourceAddress]:
        """The source addresses in use."""
        return [member.source for member in self.members if member.source is not None]


def read_pool(route_id: int, *, now: datetime) -> RoutePool:
    """Enabled accounts that are not suspended, lowest rank first."""
    standing = read_standing(now=now)
    rows = RouteMember.objects.filter(route_id=route_id, account__enabled=True).select_related("account")
    members_of_route = list(rows.order_by("rank", "-weight", "pk"))
    sources: dict[int, list[SourceAddress]] = {}
    for source in SourceAddress.objects.filter(account__memberships__route_id=route_id, enabled=True).order_by("pk"):
        sources.setdefault(source.account_id, []).append(source)
    usable = [row for row in members_of_route if row.account_id not in standing.suspended]
    members = [member for row in usable for member in _members(row, sources.get(row.account_id, []))]
    return RoutePool(members, standing, _why(members_of_route, standing))


def _members(row: RouteMember, sources: Sequence[SourceAddress]) -> list[PoolMember]:
    """The account's weight is shared by its source addresses; an API has none."""
    if not sources or row.account.kind != "smtp":
        return [PoolMember(row.account, None, row.rank, float(row.weight))]
    total = sum(source.weight for source in sources)
    return [PoolMember(row.account, source, row.rank, row.weight * source.weight / total) for source in sources]


def _why(rows: Sequence[RouteMember], standing: Standing) -> str:
    reasons = [
        f"{row.account.name}: {standing.suspended[row.account_id]}"
        for row in rows
        if row.account_id in standing.suspended
    ]
    if reasons:
        return "Every account of the route is suspended. " + " ".join(reasons)
    return "The route has no account that is switched on."
