"""Which route mail takes: the one that the campaign names, else by sender domain and kind, its brand's, the default."""

from __future__ import annotations

from collections.abc import Iterable

from campaigns.models import Campaign
from delivery.models import Route, RouteChoice


class NoRoute(Exception):
    """There is no way to send this campaign; the text says what to set up."""


def choose_route(campaign: Campaign, *, message_kind: str = RouteChoice.MessageKind.CAMPAIGN) -> Route:
    """The campaign's route; raises NoRoute in words when there is none with an enabled account."""
    usable = Route.objects.filter(members__account__enabled=True).distinct()
    if campaign.route_key:
        route = usable.filter(key=campaign.route_key).first()
        if route is None:
            raise NoRoute(f"The route “{campaign.route_key}” does not exist or has no enabled provider account.")
        return route
    choices = RouteChoice.objects.filter(route__in=usable).select_related("route")
    domains = sender_domains(campaign)
    for choice in choices:
        if fits(choice, domains=domains, brand_id=campaign.brand_id, message_kind=message_kind):
            return choice.route
    found = usable.filter(brand_id=campaign.brand_id).first() or usable.filter(is_default=True).first()
    if found is None:
        raise NoRoute("There is no route with an enabled provider account: add a provider first.")
    return found


def fits(choice: RouteChoice, *, domains: Iterable[str], brand_id: int, message_kind: str) -> bool:
    """Whether all conditions of a choice hold; a sender domain must be that of every variant, or above it."""
    if choice.brand_id not in (None, brand_id) or choice.message_kind not in ("", message_kind):
        return False
    wanted = choice.sender_domain.strip().strip(".@").lower()
    return not wanted or all(domain == wanted or domain.endswith("." + wanted) for domain in domains)


def sender_domains(campaign: Campaign) -> set[str]:
    """The domains of the From addresses of a campaign's variants."""
    addresses = campaign.variants.values_list("from_email", flat=True)
    return {(address or campaign.brand.from_email).rpartition("@")[2].lower() for address in addresses or [""]}
