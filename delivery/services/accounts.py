"""Provider accounts and the routes they serve."""

from __future__ import annotations

from django.db import transaction

from delivery.models import ProviderAccount, Route, RouteMember


@transaction.atomic
def give_default_route(account: ProviderAccount) -> Route | None:
    """Where no route exists yet, there is a default one with this account: the first provider can send at once."""
    if Route.objects.exists():
        return None
    route = Route.objects.create(key="default", name="Default", is_default=True)
    RouteMember.objects.create(route=route, account=account)
    return route
