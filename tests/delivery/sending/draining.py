"""One drain as a worker does it, with real envelopes, on a loop of its own."""

from __future__ import annotations

import uvloop
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from campaigns.services import launch_campaign
from delivery.models import ProviderAccount, Route
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.builders import Envelopes
from delivery.sending.channel import Channel
from delivery.sending.drain import Drain
from delivery.sending.permits import RoutePermits
from delivery.sending.transports import connect
from delivery.sending.turns import Turns
from delivery.services.planning import plan_next_campaign


def launch_and_drain(campaign: Campaign, route: Route, redis: Redis) -> None:
    """The campaign is launched, planned and drained once."""
    assert launch_campaign(campaign.pk, now=timezone.now())
    assert plan_next_campaign(now=timezone.now())
    drain(route, redis)


def drain(route: Route, redis: Redis, envelopes: Envelopes | None = None) -> None:
    """What is due on the route is sent."""
    maker = envelopes or Envelopes()

    async def run(accounts: list[ProviderAccount]) -> None:
        channels = [Channel(account.pk, account.name, account.max_connections) for account in accounts]
        for channel, account in zip(channels, accounts, strict=True):
            connect(channel, account, redis)
        book = Bookkeeper(
            route.pk,
            worker="w-1",
            redis=redis,
            permits=RoutePermits(redis, accounts),
            chooser=Turns(redis, route.pk),
            prepare=maker.prepare,
        )
        await Drain(channels, book, maker, seconds=20, stopping=lambda: False).run()
        for channel in channels:
            await channel.close()

    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(run(list(route.accounts.all())))
    finally:
        loop.close()
