"""Draining on real parts: PostgreSQL, Redis and an SMTP server over a socket that does what the test tells it to."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from django.db import connection
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Contact, Subscription, Suppression
from delivery.models import Deferral, Event, ProviderAccount, Route
from delivery.outcomes import Outcome, Result
from delivery.progress import Progress, progress_of, recount
from delivery.sending.bookkeeper import Bookkeeper
from delivery.sending.channel import Channel
from delivery.sending.drain import WINDOW, Drain, Drained
from delivery.sending.lease import Lease, Person
from delivery.sending.permits import RoutePermits
from delivery.sending.transports import connect
from delivery.sending.turns import Turns
from delivery.services.requeueing import requeue_due
from delivery.smtp import Envelope
from tests.delivery.factories import make_account, make_list, make_route, make_sending
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


class PlainEnvelopes:
    """Builds the smallest message there is, so that these tests look at the accounting alone."""

    def prepare(self, lease: Lease) -> None:
        """Nothing to prepare."""

    def make(self, lease: Lease, person: Person) -> Envelope | Outcome:
        if not person.mailable:
            return Outcome(Result.SUPPRESSED, text="stopped")
        return Envelope((lease, person), b"b@bounce.example", person.email.encode(), b"Subject: x\r\n\r\nx\r\n")


def drain(route: Route, redis: Redis, *, seconds: float = 20, stopping: Callable[[], bool] = lambda: False) -> Drained:
    """One drain as a worker does it, on a loop of its own."""

    async def run(accounts: list[ProviderAccount]) -> Drained:
        channels = [Channel(account.pk, account.name, account.max_connections) for account in accounts]
        for channel, account in zip(channels, accounts, strict=True):
            connect(channel, account, redis)
        envelopes = PlainEnvelopes()
        book = Bookkeeper(
            route.pk,
            worker=f"w-{threading.get_ident()}",
            redis=redis,
            permits=RoutePermits(redis, accounts),
            chooser=Turns(redis, route.pk),
            prepare=envelopes.prepare,
        )
        drained = await Drain(channels, book, envelopes, seconds=seconds, stopping=stopping).run()  # type: ignore[arg-type]
        for channel in channels:
            await channel.close()
        return drained

    loop = uvloop.new_event_loop()
    try:
        return loop.run_until_complete(run(list(route.accounts.all())))
    finally:
        loop.close()


def in_background(target: Callable[..., object], *args: Any) -> threading.Thread:
    """Runs in a thread that gives its database connection back: the pool has eight."""

    def run() -> None:
        try:
            target(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def route_to(server: ScriptedServer, **limits: Any) -> Route:
    return make_route(make_account(port=server.port, **{"max_connections": 4, **limits}))


def recipients(server: ScriptedServer) -> Counter[str]:
    return Counter(m.recipient.decode() for m in server.received if m.is_accepted)


def everybody() -> Counter[str]:
    return Counter(Contact.objects.values_list("email", flat=True))


def assert_ends(campaign: Campaign, expected: Progress) -> None:
    assert progress_of(campaign.pk) == expected
    assert recount(campaign.pk) == expected


def test_everybody_gets_it_once(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_sending(350, route=route)
        drained = drain(route, redis)
    assert recipients(server) == everybody()
    assert_ends(campaign, Progress(accepted=350))
    assert (drained.n_sent, drained.troubles) == (350, [])


def test_refused_and_deferred_recipients_are_told_apart(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_sending(5, route=route)
        dead, busy, _, _, _ = Contact.objects.order_by("pk")
        server.rules += [
            On("RCPT", reply="550 5.1.1 <x>: user unknown", match=dead.email.encode()),
            On("RCPT", reply="451 4.7.1 Greylisted, try again in 300 seconds", match=busy.email.encode()),
        ]
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=3, refused=1, deferred=1))
    assert recipients(server) == everybody() - Counter([dead.email, busy.email])
    assert list(Suppression.objects.values_list("address", "reason")) == [(dead.address, "hard_bounce")]
    event = Event.objects.get(kind="bounced", campaign_id=campaign.pk)
    assert (event.contact_id, event.bounce_kind, event.enhanced) == (dead.pk, "hard", "5.1.1")
    waiting = Deferral.objects.get()
    assert (waiting.contact_id, waiting.attempt, waiting.category) == (busy.pk, 1, "greylist")


def test_a_connection_lost_after_the_final_dot_is_uncertain_and_never_sent_again(redis: Redis) -> None:
    with in_thread(ScriptedServer(On(".", then="close", times=1))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(30, route=route)
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=29, uncertain=1))
    assert max(Counter(m.recipient for m in server.received).values()) == 1


def test_a_pause_stops_what_was_not_handed_out(redis: Redis) -> None:
    with in_thread(ScriptedServer(On(".", delay=0.05))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(400, route=route)

        def pause_soon() -> None:
            while len(server.received) < 5:
                time.sleep(0.01)
            Campaign.objects.filter(pk=campaign.pk).update(state="paused")

        pausing = in_background(pause_soon)
        drain(route, redis)
        pausing.join()
        n_sent = len(recipients(server))
        assert n_sent < 100
        # The one that waited behind the last body was taken back.
        n_recalled = progress_of(campaign.pk).deferred
        assert n_recalled <= 1
        assert_ends(campaign, Progress(accepted=n_sent, deferred=n_recalled, pending=400 - n_sent - n_recalled))
        server.rules.clear()
        Campaign.objects.filter(pk=campaign.pk).update(state="sending")
        assert requeue_due() == n_recalled
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=400))
    assert recipients(server) == everybody()


@pytest.mark.parametrize(("n", "delay", "at"), [(120, 0.03, 119), (9, 0.25, 6)], ids=["far ahead", "made already"])
def test_an_unsubscribe_while_the_batch_runs_stops_that_message(redis: Redis, n: int, delay: float, at: int) -> None:
    with in_thread(ScriptedServer(On(".", delay=delay))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(n, route=route)
        leaver = Contact.objects.order_by("pk")[at]

        def leave_soon() -> None:
            from django.utils import timezone

            from contacts.services import unsubscribe_contact

            while not server.received:
                time.sleep(0.01)
            lists = list(Subscription.objects.filter(contact=leaver).values_list("mailing_list_id", flat=True))
            now = timezone.now()
            unsubscribe_contact(leaver.pk, list_ids=lists, source="page", occurred_at=now, evidence={}, now=now)

        leaving = in_background(leave_soon)
        drain(route, redis)
        leaving.join()
    assert_ends(campaign, Progress(accepted=n - 1, suppressed=1))
    assert recipients(server) == everybody() - Counter([leaver.email])


def test_two_drains_of_one_route_at_once_send_everybody_once(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        mailing_list = make_list()
        campaigns = [make_sending(300, mailing_list=mailing_list, route=route)]
        threads = [in_background(drain, route, redis) for _ in range(2)]
        for thread in threads:
            thread.join()
    assert recipients(server) == everybody()
    assert_ends(campaigns[0], Progress(accepted=300))


def test_a_drain_that_is_told_to_stop_gives_back_what_it_has_not_begun(redis: Redis) -> None:
    with in_thread(ScriptedServer(On(".", delay=0.02))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(300, route=route)
        drain(route, redis, stopping=lambda: len(server.received) >= 3)
    n_sent = len(recipients(server))
    assert 3 <= n_sent <= WINDOW
    assert_ends(campaign, Progress(accepted=n_sent, pending=300 - n_sent))


def test_a_rate_limit_holds_and_its_leftover_is_pending(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, messages_per_second=20)
        campaign = make_sending(300, route=route)
        drain(route, redis, seconds=2)
    n_sent = len(recipients(server))
    assert 20 <= n_sent <= 62
    assert_ends(campaign, Progress(accepted=n_sent, pending=300 - n_sent))


def test_a_server_that_is_not_there_costs_no_message_anything(redis: Redis) -> None:
    route = make_route(make_account(port=9))
    campaign = make_sending(3, route=route)
    drained = drain(route, redis, seconds=1)
    assert_ends(campaign, Progress(pending=3))
    assert drained.n_sent == 0
    assert len(drained.troubles) >= 1
