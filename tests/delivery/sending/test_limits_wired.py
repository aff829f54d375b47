"""Limits of campaign, recipient site, account and day, warm-ups and greylists, through the real send path."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from delivery.models import Batch, Deferral, OutcomeRow, SiteProfile, WarmUp
from delivery.progress import Progress, progress_of
from delivery.sending.presence import last_trouble
from delivery.services.requeueing import requeue_due
from tests.delivery.sending.control import (
    account_at,
    assert_ends,
    campaign_to,
    domains,
    drain,
    everybody_once,
    make_due,
    route_of,
    suspend_path,
)
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]


def test_a_site_limit_holds_back_only_its_site(redis: Redis) -> None:
    SiteProfile.objects.create(site="google", messages_per_second=10)
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server), 0, 1))
        campaign = campaign_to({"gmail.com": 100, "example.org": 300})
        drain(route, redis, seconds=2)
        got = domains(server)
    assert got["example.org"] == 300
    assert 1 <= got["gmail.com"] <= 32
    assert_ends(campaign, Progress(accepted=300 + got["gmail.com"], pending=100 - got["gmail.com"]))


def test_a_small_site_with_a_limit_gets_batches_of_its_own_when_the_audience_is_cut(redis: Redis) -> None:
    SiteProfile.objects.create(site="google", messages_per_day=2)
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server), 0, 1))
        campaign = campaign_to({"gmail.com": 5, "example.org": 6, "example.net": 7})
        assert sorted(Batch.objects.values_list("site", "n_messages")) == [("", 13), ("google", 5)]
        drain(route, redis)
        assert domains(server) == {"gmail.com": 2, "example.org": 6, "example.net": 7}
        assert "path:" in last_trouble(redis, route.pk)
        assert "2 per day" in last_trouble(redis, route.pk)
    assert_ends(campaign, Progress(accepted=15, pending=3))


def test_a_limit_that_comes_later_takes_its_people_out_of_mixed_batches(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server), 0, 1))
        campaign = campaign_to({"gmail.com": 5, "example.org": 6})
        assert Batch.objects.get().site == ""
        SiteProfile.objects.create(site="google", messages_per_day=3)
        drain(route, redis)
        assert domains(server) == {"example.org": 6}
        assert_ends(campaign, Progress(accepted=6, deferred=5))
        assert requeue_due() == 5
        batch = Batch.objects.get(site="google")
        assert (batch.n_messages, batch.attempt) == (5, 1)
        drain(route, redis)
        assert domains(server) == {"example.org": 6, "gmail.com": 3}
    assert_ends(campaign, Progress(accepted=9, pending=2))


def test_a_suspended_site_is_left_alone_and_goes_when_the_measure_is_over(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        route = route_of((account, 0, 1))
        measure = suspend_path(account, "google")
        campaign = campaign_to({"gmail.com": 30, "example.org": 40})
        drain(route, redis)
        assert domains(server) == {"example.org": 40}
        assert Batch.objects.get(site="google").fence == 0  # nobody even leased it
        type(measure).objects.update(revoked_at=timezone.now())
        drain(route, redis)
        assert everybody_once(server)
    assert_ends(campaign, Progress(accepted=70))


def test_a_site_that_is_suspended_for_one_account_goes_by_the_other(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as first, in_thread(ScriptedServer()) as second:
        blocked, free = account_at(first), account_at(second)
        route = route_of((blocked, 0, 1), (free, 1, 1))
        suspend_path(blocked, "google")
        campaign = campaign_to({"gmail.com": 30, "example.org": 40})
        drain(route, redis)
        assert (domains(first), domains(second)) == ({"example.org": 40}, {"gmail.com": 30})
    assert_ends(campaign, Progress(accepted=70))


def test_a_campaigns_own_rate_holds_it_back_and_not_its_neighbour(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server), 0, 1))
        slow = campaign_to({"example.org": 100}, messages_per_hour=3600 * 10)
        fast = campaign_to({"example.net": 300})
        drain(route, redis, seconds=2)
        got = domains(server)
    assert got["example.net"] == 300
    assert 1 <= got["example.org"] <= 32
    assert progress_of(fast.pk) == Progress(accepted=300)
    assert progress_of(slow.pk).accepted == got["example.org"]


def test_a_day_quota_stops_exactly_there_and_the_next_account_takes_the_rest(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as first, in_thread(ScriptedServer()) as second:
        small, big = account_at(first, messages_per_day=70), account_at(second)
        route = route_of((small, 0, 1), (big, 1, 1))
        campaign = campaign_to({"example.org": 200})
        drain(route, redis)
        assert (len(first.received), len(second.received)) == (70, 130)
        assert everybody_once(first, second)
    assert_ends(campaign, Progress(accepted=200))


def test_a_day_quota_is_counted_from_the_record_after_redis_forgot(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server, messages_per_day=25), 0, 1))
        campaign = campaign_to({"example.org": 60})
        drain(route, redis)
        assert len(server.received) == 25
        redis.flushdb()
        Batch.objects.update(due_at=timezone.now())
        drain(route, redis)
        assert len(server.received) == 25
        assert "25 per day" in last_trouble(redis, route.pk)
    assert_ends(campaign, Progress(accepted=25, pending=35))


def test_a_warm_up_keeps_its_cap_and_the_rest_overflows_to_the_warm_account(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as first, in_thread(ScriptedServer()) as second:
        cold, warm = account_at(first), account_at(second)
        WarmUp.objects.create(account=cold, first=40, last=1000, days=10, started_on=timezone.now().date())
        route = route_of((cold, 0, 1), (warm, 0, 1))
        campaign = campaign_to({"example.org": 200})
        drain(route, redis)
        assert (len(first.received), len(second.received)) == (40, 160)
    assert_ends(campaign, Progress(accepted=200))


def test_a_warm_up_of_one_site_caps_that_site_alone_and_a_stopped_one_sends_nothing(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        today = timezone.now().date()
        WarmUp.objects.create(account=account, site="google", first=10, last=100, days=9, started_on=today)
        WarmUp.objects.create(account=account, site="yahoo", started_on=today, stopped_at=timezone.now())
        route = route_of((account, 0, 1))
        campaign = campaign_to({"gmail.com": 30, "yahoo.com": 20, "example.org": 40})
        drain(route, redis)
        assert domains(server) == {"gmail.com": 10, "example.org": 40}
    assert_ends(campaign, Progress(accepted=50, pending=40))


def test_greylisted_mail_goes_by_the_account_that_the_greylist_knows(redis: Redis) -> None:
    grey = On("RCPT", reply="451 4.7.1 Greylisted, try again in 300 seconds", times=1)
    with in_thread(ScriptedServer(grey)) as first, in_thread(ScriptedServer()) as second:
        known, other = account_at(first, max_connections=1), account_at(second)
        route = route_of((known, 0, 1), (other, 0, 1))
        campaign = campaign_to({"example.org": 20})
        drain(route, redis)
        waiting = Deferral.objects.get()
        assert (waiting.account_id, waiting.same_source) == (known.pk, True)
        assert waiting.due_at - waiting.deferred_at >= timedelta(seconds=300)
        make_due([campaign])
        assert requeue_due() == 1
        assert Batch.objects.get(attempt=2).account_id == known.pk
        drain(route, redis)
        assert everybody_once(first, second)
    row = OutcomeRow.objects.get(contact_id=waiting.contact_id, result=1)
    assert row.account_id == known.pk
    assert_ends(campaign, Progress(accepted=20))


def test_greylisted_mail_goes_by_another_account_when_its_own_left_the_route(redis: Redis) -> None:
    with (
        in_thread(ScriptedServer(On("RCPT", reply="451 4.7.1 Greylisted"))) as first,
        in_thread(ScriptedServer()) as second,
    ):
        known, other = account_at(first), account_at(second)
        route = route_of((known, 0, 1))
        campaign = campaign_to({"example.org": 4})
        drain(route, redis)
        make_due([campaign])
        requeue_due()
        route.members.all().delete()
        route.members.create(account=other)
        drain(route, redis)
        assert everybody_once(second)
    assert_ends(campaign, Progress(accepted=4))


def test_a_small_campaign_beside_a_big_one_takes_at_most_twice_its_time_alone(redis: Redis) -> None:
    """Its time in messages of the route: while it runs, the big one gets no more than it, and a turn of a second."""
    rate, n = 200, 80
    with in_thread(ScriptedServer()) as server:
        route = route_of((account_at(server, messages_per_second=rate), 0, 1))
        campaign_to({"big.example": 1200})
        drain(route, redis, seconds=0.5)
        n_before = len(server.received)
        small = campaign_to({"small.example": n})
        for _ in range(10):
            if progress_of(small.pk).accepted < n:
                drain(route, redis, seconds=2)
        order = [m.recipient.decode().endswith("@small.example") for m in server.received[n_before:]]
    assert progress_of(small.pk) == Progress(accepted=n)
    last = max(i for i, is_small in enumerate(order) if is_small)
    assert last + 1 <= 2 * n + rate
    assert sum(order) == n
