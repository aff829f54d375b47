"""Pause and cancel: what leaves afterwards, counted by when the server had it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from campaigns.models import Audience, Campaign
from campaigns.services import cancel_campaign, pause_campaign, resume_campaign
from delivery.models import Batch, Deferral
from delivery.progress import Progress, progress_of
from delivery.services import finishing, planning
from delivery.services.requeueing import requeue_due
from tests.delivery.factories import make_list, make_preparing, make_readers, make_route, make_sending
from tests.delivery.sending.test_drain import assert_ends, drain, everybody, in_background, recipients, route_to
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

PROMISED_SECONDS = 2.0


class Stopper:
    """Stops the campaign from a thread of its own as soon as the server has `after` messages."""

    def __init__(self, server: ScriptedServer, campaign: Campaign, *, after: int, cancel: bool = False) -> None:
        self.at = 0.0
        self.over = threading.Event()  # the promised time after it
        self._server, self._campaign, self._after, self._cancel = server, campaign, after, cancel
        self._thread = in_background(self._run)

    def _run(self) -> None:
        while len(self._server.received) < self._after:
            time.sleep(0.005)
        if self._cancel:
            assert cancel_campaign(self._campaign.pk, now=timezone.now())
        else:
            assert pause_campaign(self._campaign.pk, reason="Stop.", now=timezone.now())
        self.at = time.monotonic()
        time.sleep(PROMISED_SECONDS + 0.1)
        self.over.set()

    def late(self) -> list[float]:
        """Seconds after the stop at which messages came that came too late."""
        self._thread.join()
        return [m.at - self.at for m in self._server.received if m.at > self.at + PROMISED_SECONDS]


def test_a_route_of_one_message_a_second_stops_within_two_seconds(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, messages_per_second=1)
        campaign = make_sending(30, route=route)
        stopper = Stopper(server, campaign, after=2)
        drain(route, redis)
        assert stopper.late() == []
        n_sent = len(server.received)
    assert 2 <= n_sent <= 4
    assert_ends(campaign, Progress(accepted=n_sent, pending=30 - n_sent))


def test_a_slow_server_gets_no_more_of_what_was_journaled(redis: Redis) -> None:
    with in_thread(ScriptedServer(On(".", delay=0.2))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(100, route=route)
        stopper = Stopper(server, campaign, after=2)
        drain(route, redis)
        assert stopper.late() == []
        n_sent = len(server.received)
    assert n_sent <= 12
    progress = progress_of(campaign.pk)
    assert (progress.accepted, progress.uncertain, progress.total) == (n_sent, 0, 100)
    assert progress.deferred + progress.pending == 100 - n_sent


def test_a_server_that_hung_gets_no_body_when_it_wakes_after_the_pause(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(10, route=route)
        stopper = Stopper(server, campaign, after=1)
        server.rules.append(On(".", until=stopper.over, times=1))
        drain(route, redis)
        assert stopper.late() == []
        assert len(server.received) == 1
        assert_ends(campaign, Progress(accepted=1, deferred=1, pending=8))
        waiting = Deferral.objects.get()
        assert (waiting.category, waiting.reply) == ("recalled", "not sent: it was taken back before it left")

        assert resume_campaign(campaign.pk, now=timezone.now())
        assert requeue_due() == 1
        drain(route, redis)
    assert recipients(server) == everybody()
    assert_ends(campaign, Progress(accepted=10))


def test_a_cancelled_campaign_sends_nothing_more_and_ends_what_was_taken_back(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(10, route=route)
        stopper = Stopper(server, campaign, after=1, cancel=True)
        server.rules.append(On(".", until=stopper.over, times=1))
        drain(route, redis)
        assert stopper.late() == []
        finishing.settle_cancelled()
        assert len(server.received) == 1
    assert_ends(campaign, Progress(accepted=1, cancelled=9))


def test_nothing_is_handed_out_while_nobody_knows_whether_it_may(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL takes 4 s for a journal step; the pause is in it. 100 messages are journaled and 5 a second go."""
    from delivery.sending import ledger

    advance = ledger.advance
    slow = threading.Event()

    def slowly(*args: Any, **named: Any) -> Any:
        if slow.is_set():
            slow.clear()
            time.sleep(4)
        return advance(*args, **named)

    monkeypatch.setattr(ledger, "advance", slowly)
    with in_thread(ScriptedServer(On(".", delay=0.2))) as server:
        route = route_to(server, max_connections=1)
        campaign = make_sending(100, route=route)

        def hang_then_pause() -> None:
            while len(server.received) < 2:
                time.sleep(0.005)
            slow.set()
            while slow.is_set():
                time.sleep(0.005)

        hanging = in_background(hang_then_pause)
        stopper = Stopper(server, campaign, after=3)
        drain(route, redis)
        hanging.join()
        assert stopper.late() == []


def test_a_pause_need_not_wait_for_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a million people planning takes ten seconds: the pause comes through in its midst, and nothing was planned."""
    make_route()
    mailing_list = make_list()
    make_readers(3, mailing_list)
    campaign = make_preparing(mailing_list)
    write_links = planning._write_links
    paused: list[bool] = []

    def pause_first(planned: Campaign) -> None:
        stop = in_background(lambda: paused.append(pause_campaign(campaign.pk, reason="Stop.", now=timezone.now())))
        stop.join(10)
        write_links(planned)

    with monkeypatch.context() as patch:
        patch.setattr(planning, "_write_links", pause_first)
        assert planning.plan_next_campaign(now=timezone.now()) is None
    assert paused == [True]
    assert (Batch.objects.count(), Audience.objects.count()) == (0, 0)

    assert resume_campaign(campaign.pk, now=timezone.now())
    planned = planning.plan_next_campaign(now=timezone.now())
    assert planned is not None
    assert planned.n_messages == 3
    assert progress_of(campaign.pk) == Progress(pending=3)
