"""Which route a campaign takes: the one it names, else its brand's, else the default one."""

from __future__ import annotations

from campaigns.models import Campaign
from delivery.models import Route


class NoRoute(Exception):
    """There is no way to send this campaign; the text says what to set up."""


def choose_route(campaign: Campaign) -> Route:
    """The campaign's route; raises NoRoute in words when there is none with an enabled account."""
    usable = Route.objects.filter(members__account__enabled=True).distinct()
    if campaign.route_key:
        route = usable.filter(key=campaign.route_key).first()
        if route is None:
            raise NoRoute(f"The route “{campaign.route_key}” does not exist or has no enabled provider account.")
        return route
    route = usable.filter(brand_id=campaign.brand_id).first() or usable.filter(is_default=True).first()
    if route is None:
        raise NoRoute("There is no route with an enabled provider account: add a provider first.")
    return route
