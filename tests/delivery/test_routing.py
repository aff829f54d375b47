"""Which route a campaign takes: named, chosen by sender domain and kind, the brand's, the default."""

from __future__ import annotations

import pytest

from delivery.models import Route, RouteChoice
from delivery.routing import NoRoute, choose_route
from tests.delivery.factories import make_account, make_brand, make_campaign, make_list, make_route

pytestmark = pytest.mark.django_db


def routes(*keys: str) -> list[Route]:
    found = [make_route(default=i == 0) for i in range(len(keys))]
    for route, key in zip(found, keys, strict=True):
        Route.objects.filter(pk=route.pk).update(key=key)
        route.key = key
    return found


def test_without_choices_it_is_the_default_and_a_named_route_wins_over_all() -> None:
    default, other = routes("default", "other")
    campaign = make_campaign(make_list())
    RouteChoice.objects.create(route=default)
    assert choose_route(campaign) == default
    campaign.route_key = "other"
    assert choose_route(campaign) == other
    campaign.route_key = "gone"
    with pytest.raises(NoRoute, match="gone"):
        choose_route(campaign)


def test_a_sender_domain_chooses_with_its_subdomains_and_only_where_all_variants_have_it() -> None:
    default, own = routes("default", "own")
    RouteChoice.objects.create(route=own, sender_domain="Acme.example")
    campaign = make_campaign(make_list())  # news@news.acme.example
    assert choose_route(campaign) == own
    variant = campaign.variants.get()
    variant.from_email = "news@notacme.example"
    variant.save()
    assert choose_route(campaign) == default


def test_a_kind_and_a_brand_choose_and_the_first_position_wins() -> None:
    default, tests, brand = routes("default", "tests", "brand")
    RouteChoice.objects.create(route=brand, brand=make_brand(), position=2)
    RouteChoice.objects.create(route=tests, message_kind="test", position=1)
    RouteChoice.objects.create(route=default, brand=make_brand("Other"), position=0)
    campaign = make_campaign(make_list())
    assert choose_route(campaign) == brand
    assert choose_route(campaign, message_kind="test") == tests


def test_a_choice_whose_route_cannot_send_is_passed_over() -> None:
    default, broken = routes("default", "broken")
    broken.accounts.update(enabled=False)
    RouteChoice.objects.create(route=broken)
    assert choose_route(make_campaign(make_list())) == default
    assert make_account().enabled
