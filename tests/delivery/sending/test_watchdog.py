"""Every reason why a campaign stands still, brought about with the real parts where there are some."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from campaigns.services import pause_campaign
from delivery.models import AccountBreaker, Batch, Deferral, ProviderAccount, ShapingMeasure, SourceAddress, WarmUp
from delivery.obstacles import named
from delivery.progress import Progress, progress_of
from delivery.sending import ledger, presence
from delivery.shaping.rules import Action
from delivery.watchdog import look_at, why_not_moving
from tests.delivery.factories import make_account, make_campaign, make_list, make_preparing, make_route, make_sending
from tests.delivery.sending import control
from tests.delivery.sending.test_drain import drain, in_background, route_to
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alive(redis: Redis) -> None:
    """Workers, beat and ticks, as a running installation leaves them."""
    presence.note_worker(redis, "send@one")
    presence.note_beat(redis)
    presence.note_tick(redis)


def kind_of(campaign: Campaign) -> str:
    finding = look_at(campaign.pk)
    return finding.kind if finding else ""


def long_ago(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(started_at=timezone.now() - timedelta(minutes=5))


def test_a_campaign_that_has_just_begun_or_ended_has_no_obstacle() -> None:
    campaign = make_sending(3)
    assert (kind_of(campaign), why_not_moving(campaign.pk)) == ("", "")
    Campaign.objects.filter(pk=campaign.pk).update(state="finished")
    assert kind_of(campaign) == ""
    assert look_at(0) is None


def test_no_worker_no_beat_and_no_planner_are_told_apart(redis: Redis) -> None:
    campaign = make_sending(3)
    redis.set(presence.TICK, time.time() - 60)
    assert kind_of(campaign) == "no_planner"
    redis.set(presence.BEAT, time.time() - 60)
    assert why_not_moving(campaign.pk) == "Nothing ticks: beat is silent for 60 seconds."
    redis.delete(presence.BEAT)
    assert why_not_moving(campaign.pk) == "Nothing ticks: beat is silent."
    redis.delete(presence.WORKERS)
    assert why_not_moving(campaign.pk) == "No worker that sends is alive."


def test_redis_down(settings: Any) -> None:
    campaign = make_sending(3)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    finding = look_at(campaign.pk)
    assert finding is not None
    assert finding.kind == "redis"
    assert finding.help == "It resumes by itself when Redis does. No message is lost: they are in PostgreSQL."


def test_a_worker_that_cannot_write_says_so_and_goes_on_when_it_can(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = ledger.advance
    is_full = threading.Event()
    is_full.set()

    def refuse(*args: Any, **named: Any) -> Any:
        if is_full.is_set():
            raise OperationalError("could not extend file: No space left on device")
        return advance(*args, **named)

    monkeypatch.setattr(ledger, "advance", refuse)
    with in_thread(ScriptedServer()) as server:
        route = route_to(server)
        campaign = make_sending(5, route=route)
        draining = in_background(drain, route, redis)
        until = time.monotonic() + 20
        while kind_of(campaign) != "outage" and time.monotonic() < until:
            time.sleep(0.05)
        finding = look_at(campaign.pk)
        is_full.clear()
        draining.join()
    assert finding is not None
    assert "No space left on device" in finding.text
    assert progress_of(campaign.pk) == Progress(accepted=5)


def test_waiting_for_its_time_and_overdue(redis: Redis) -> None:
    campaign = make_campaign(make_list(), send_at=timezone.now() + timedelta(hours=2))
    assert kind_of(campaign) == "due"
    Campaign.objects.filter(pk=campaign.pk).update(send_at=timezone.now() - timedelta(hours=2))
    assert kind_of(campaign) == "overdue"
    redis.delete(presence.BEAT)
    finding = look_at(campaign.pk)
    assert finding is not None
    assert finding.kind == "no_beat"
    assert finding.text.startswith("It should have started on ")


def test_messages_that_are_due_later() -> None:
    campaign = make_sending(3)
    Batch.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert kind_of(campaign) == "due"


def test_an_audience_that_takes_long() -> None:
    campaign = make_preparing(make_list())
    assert kind_of(campaign) == ""
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now() - timedelta(minutes=1))
    assert kind_of(campaign) == "preparing"


def test_paused_by_a_person() -> None:
    campaign = make_sending(3)
    assert pause_campaign(campaign.pk, reason="Paused by mary.", now=timezone.now())
    assert (kind_of(campaign), why_not_moving(campaign.pk)) == ("paused", "Paused by mary.")


def test_the_days_quota_is_used_up(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, messages_per_day=4, max_connections=1)
        campaign = make_sending(10, route=route)
        drain(route, redis)
        assert len(server.received) == 4
    name = ProviderAccount.objects.get().name
    assert kind_of(campaign) == "quota"
    assert why_not_moving(campaign.pk).startswith(f"“{name}” has used the 4 messages it may send today. It goes on at ")


def test_an_hourly_limit_is_named(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_to(server, messages_per_hour=4, max_connections=1)
        campaign = make_sending(10, route=route)
        drain(route, redis)
        drain(route, redis)
    name = ProviderAccount.objects.get().name
    assert why_not_moving(campaign.pk) == f"A limit is reached: account “{name}”: 4 per hour."


def test_a_login_that_is_rejected(redis: Redis) -> None:
    features = ("PIPELINING", "AUTH PLAIN")
    with in_thread(ScriptedServer(On("AUTH", reply="535 5.7.8 bad credentials"), features=features)) as server:
        route = route_to(server)
        ProviderAccount.objects.update(secrets={"username": "u", "password": "p"})
        campaign = make_sending(3, route=route)
        drain(route, redis, seconds=1)
    finding = look_at(campaign.pk)
    assert finding is not None
    assert finding.kind == "login"
    assert "bad credentials" in finding.text
    assert progress_of(campaign.pk) == Progress(pending=3)


def test_a_server_that_is_not_there(redis: Redis) -> None:
    route = make_route(make_account(port=9))
    campaign = make_sending(3, route=route)
    drain(route, redis, seconds=1)
    assert kind_of(campaign) in ("server", "breaker")


def test_a_suspended_account_an_open_breaker_and_none_at_all() -> None:
    route = make_route()
    campaign = make_sending(3, route=route)
    account = ProviderAccount.objects.get()
    AccountBreaker.objects.create(account=account, circuit="open", reason="9 of 10 attempts failed")
    assert kind_of(campaign) == "breaker"
    assert "9 of 10 attempts failed" in why_not_moving(campaign.pk)
    tomorrow = timezone.now() + timedelta(days=1)
    ProviderAccount.objects.update(suspended_until=tomorrow, suspended_reason="450 4.2.1 try tomorrow")
    assert kind_of(campaign) == "suspended"
    assert "450 4.2.1 try tomorrow" in why_not_moving(campaign.pk)
    ProviderAccount.objects.update(suspended_reason="535 5.7.8 bad credentials")
    assert kind_of(campaign) == "login"
    ProviderAccount.objects.update(enabled=False)
    assert why_not_moving(campaign.pk) == "The route “Route” has no enabled provider account."


def test_one_of_two_accounts_is_enough_to_move() -> None:
    route = make_route()
    campaign = make_sending(3, route=route)
    tomorrow = timezone.now() + timedelta(days=1)
    ProviderAccount.objects.update(suspended_until=tomorrow, suspended_reason="450 4.2.1 try tomorrow")
    route.members.create(account=make_account())
    assert kind_of(campaign) == ""


def suspend_site(site: str) -> ShapingMeasure:
    now = timezone.now()
    return ShapingMeasure.objects.create(
        rule="yahoo-ts04",
        action=Action.SUSPEND,
        target="path:1::yahoo",
        account=ProviderAccount.objects.get(),
        site=site,
        reply="421 4.7.0 [TSS04] Messages deferred",
        reason="suspended for 2 hours",
        began_at=now,
        until=now + timedelta(hours=2),
    )


def test_a_suspended_site_is_named_with_its_reply_unless_others_are_left() -> None:
    campaign = make_sending(3, route=make_route())
    Batch.objects.update(site="yahoo")
    measure = suspend_site("yahoo")
    text = why_not_moving(campaign.pk)
    assert text.startswith("Sending to Yahoo and AOL is suspended until ")
    assert text.endswith("because of the reply: 421 4.7.0 [TSS04] Messages deferred")
    Batch.objects.create(campaign_id=campaign.pk, route=Batch.objects.get().route, site="google", n_messages=1)
    assert kind_of(campaign) == ""
    Batch.objects.filter(site="google").delete()
    ShapingMeasure.objects.filter(pk=measure.pk).update(revoked_at=timezone.now())
    assert kind_of(campaign) == ""


def test_a_server_that_does_not_answer() -> None:
    campaign = make_sending(3)
    batch = Batch.objects.get(campaign_id=campaign.pk)
    assert ledger.claim_batch(batch.route_id, campaign.pk, worker="one") is not None
    assert kind_of(campaign) == ""
    long_ago(campaign)
    finding = look_at(campaign.pk)
    assert finding is not None
    assert finding.text == "The mail server has not answered for 300 seconds."


def test_its_turn_comes_after_another_campaign() -> None:
    route = make_route()
    mailing_list = make_list()
    first = make_sending(3, mailing_list=mailing_list, route=route)
    second = make_sending(1, mailing_list=mailing_list, route=route)
    assert ledger.claim_batch(route.pk, first.pk, worker="one") is not None
    assert why_not_moving(second.pk) == "It waits for its turn beside another campaign on the same route."


def test_deferred_messages_say_what_the_server_said(redis: Redis) -> None:
    with in_thread(ScriptedServer(On("RCPT", reply="451 4.3.0 mailbox is being moved", times=1))) as server:
        route = route_to(server)
        campaign = make_sending(3, route=route)
        drain(route, redis)
    Deferral.objects.update(due_at=timezone.now() + timedelta(minutes=7, seconds=30))
    assert why_not_moving(campaign.pk) == (
        "1 deferred message waits; the next attempt is in 7 minutes. The server said: mailbox is being moved"
    )


def test_limits_are_named_as_people_know_them() -> None:
    campaign = make_sending(3)
    account = ProviderAccount.objects.get()
    source = SourceAddress.objects.create(account=account, address="192.0.2.1")
    warm_up = WarmUp.objects.create(account=account, started_on=timezone.localdate())
    assert named(f"account:{account.pk}: 5 per hour") == f"account “{account}”: 5 per hour"
    assert named(f"campaign:{campaign.pk}: 5 per hour") == "campaign “Sale”: 5 per hour"
    assert named(f"source:{source.pk}: 5 per day") == "source “192.0.2.1”: 5 per day"
    assert (
        named(f"path:{account.pk}::google: 2 per second")
        == f"account “{account}” to Gmail and Google Workspace: 2 per second"
    )
    assert named(f"measure:path:{account.pk}::yahoo: 1 per minute") == (
        f"a measure on account “{account}” to Yahoo and AOL: 1 per minute"
    )
    assert named(f"warmup:{warm_up.pk}: 50 per day") == f"the warm-up of “{account} to all sites”: 50 per day"
    assert named("account:0: 5 per hour") == "account:0: 5 per hour"
    assert named("what nobody knows") == "what nobody knows"


def test_a_worker_with_the_wrong_encryption_key_sends_nothing_loses_nobody_and_says_so(
    redis: Redis, client: Client, settings: Any
) -> None:
    right = settings.FIELD_ENCRYPTION_KEYS
    boss = User.objects.create_superuser("olga", "olga@example.com", "x")
    with in_thread(ScriptedServer()) as server:
        account = control.account_at(server, secrets={"password": ""})
        route = control.route_of((account, 0, 1))
        campaign = control.campaign_to({"example.org": 3})
        settings.FIELD_ENCRYPTION_KEYS = ["dGhpcy1rZXktaXMtb25seS1mb3ItdGhpcy10ZXN0ISE="]
        assert control.drain(route, redis).n_sent == 0
        assert server.received == []
        assert (kind_of(campaign), progress_of(campaign.pk)) == ("wrong_key", Progress(pending=3))
        assert "FIELD_ENCRYPTION_KEYS" in why_not_moving(campaign.pk)
        settings.FIELD_ENCRYPTION_KEYS = right  # the web's own: only the worker was started with another
        client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get("/admin/delivery/health/").content.decode()
        assert "A worker cannot read the stored passwords and keys" in page
        control.drain(route, redis)
        assert control.everybody_once(server)
    assert progress_of(campaign.pk) == Progress(accepted=3)
