"""Draining over a provider's API: the same accounting, one-click unsubscribe per recipient, one bad address alone."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import ProviderAccount, Route, RouteMember
from delivery.progress import Progress, progress_of, recount
from delivery.providers.fakes.bundles import FakeResend
from delivery.providers.fakes.dialect import FakeProvider
from delivery.providers.fakes.server import Fault
from tests.delivery.factories import make_campaign, make_list, make_readers
from tests.delivery.sending.draining import launch_and_drain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.PROVIDERS_ON_PRIVATE_NETWORKS = True


def route_to(fake: FakeProvider) -> Route:
    account = ProviderAccount.objects.create(
        name="resend", kind="resend", options=fake.settings, secrets=fake.credentials, max_connections=4
    )
    route = Route.objects.create(key="api", name="API", is_default=True)
    RouteMember.objects.create(route=route, account=account)
    return route


def send(n: int, route: Route, redis: Redis) -> Campaign:
    mailing_list = make_list()
    make_readers(n, mailing_list)
    campaign = make_campaign(mailing_list)
    launch_and_drain(campaign, route, redis)
    return campaign


def test_everybody_gets_it_once_with_an_unsubscribe_link_of_his_own(redis: Redis) -> None:
    with FakeProvider(FakeResend()) as fake:
        campaign = send(130, route_to(fake), redis)
    assert progress_of(campaign.pk) == recount(campaign.pk) == Progress(accepted=130)
    assert sorted(sent.recipient for sent in fake.sent) == sorted(Contact.objects.values_list("email", flat=True))
    links = {sent.headers["list-unsubscribe"] for sent in fake.sent}
    assert len(links) == 130
    assert {sent.headers["list-unsubscribe-post"] for sent in fake.sent} == {"List-Unsubscribe=One-Click"}


def test_a_rate_limited_call_is_deferred_and_costs_nobody_his_message(redis: Redis) -> None:
    with FakeProvider(FakeResend()) as fake:
        fake.script(Fault.RATE_LIMITED)
        campaign = send(20, route_to(fake), redis)
    assert progress_of(campaign.pk) == recount(campaign.pk) == Progress(deferred=20)
    assert fake.sent == []
