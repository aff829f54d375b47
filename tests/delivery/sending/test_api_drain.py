"""Draining over a provider's API: the same accounting, one-click unsubscribe per recipient, one bad address alone."""

from __future__ import annotations

from typing import Any

import pytest
import uvloop
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from campaigns.services import launch_campaign
from contacts.models import Contact
from delivery.models import ProviderAccount, Route, RouteMember
from delivery.progress import Progress, progress_of, recount
from delivery.providers.fakes.bundles import FakeResend
from delivery.providers.fakes.dialect import FakeProvider
from delivery.providers.fakes.server import Fault
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.builders import Envelopes
from delivery.sending.channel import Channel
from delivery.sending.drain import Drain
from delivery.sending.permits import RoutePermits
from delivery.sending.transports import connect
from delivery.sending.turns import Turns
from delivery.services.planning import plan_next_campaign
from tests.delivery.factories import make_campaign, make_list, make_readers

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
    assert launch_campaign(campaign.pk, now=timezone.now())
    assert plan_next_campaign(now=timezone.now())
    drain(route, redis)
    return campaign


def drain(route: Route, redis: Redis) -> None:
    async def run(accounts: list[ProviderAccount]) -> None:
        channels = [Channel(account.pk, account.name, account.max_connections) for account in accounts]
        for channel, account in zip(channels, accounts, strict=True):
            connect(channel, account, redis)
        envelopes = Envelopes()
        book = Bookkeeper(
            route.pk,
            worker="w-1",
            redis=redis,
            permits=RoutePermits(redis, accounts),
            chooser=Turns(redis, route.pk),
            prepare=envelopes.prepare,
        )
        await Drain(channels, book, envelopes, seconds=20, stopping=lambda: False).run()
        for channel in channels:
            await channel.close()

    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(run(list(route.accounts.all())))
    finally:
        loop.close()


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
