"""A route's pool on real parts: weights, ranks, failover that mails nobody twice, breakers, suspensions, sources."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from delivery.breaker import BreakerPolicy
from delivery.models import AccountBreaker, Batch, OutcomeRow, ProviderAccount, SourceAddress
from delivery.progress import Progress
from delivery.sending import breakers
from delivery.sending.presence import last_trouble
from delivery.services.accounts import resume_account, suspend_account
from tests.delivery.sending.control import account_at, assert_ends, campaign_to, drain, everybody_once, route_of
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]

QUICK = BreakerPolicy(least=3, pause=timedelta(milliseconds=300), longest=timedelta(seconds=1))


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "POLICY", QUICK)


def sent_by(account: ProviderAccount) -> int:
    return OutcomeRow.objects.filter(account_id=account.pk, result=1).count()


def test_two_accounts_share_three_to_one(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as first, in_thread(ScriptedServer()) as second:
        big, small = account_at(first), account_at(second)
        route = route_of((big, 0, 3), (small, 0, 1))
        campaign = campaign_to({"example.org": 400})
        drain(route, redis)
        assert (len(first.received), len(second.received)) == (300, 100)
        assert everybody_once(first, second)
    assert_ends(campaign, Progress(accepted=400))
    assert (sent_by(big), sent_by(small)) == (300, 100)


def test_a_higher_rank_sends_nothing_while_the_lower_one_can(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as first, in_thread(ScriptedServer()) as second:
        route = route_of((account_at(first, messages_per_second=200), 0, 1), (account_at(second), 1, 9))
        campaign_to({"example.org": 60})
        drain(route, redis)
        assert (len(first.received), len(second.received)) == (60, 0)


@pytest.mark.usefixtures("_quick")
def test_when_the_first_account_refuses_connections_the_second_takes_over_and_nobody_is_mailed_twice(
    redis: Redis,
) -> None:
    with in_thread(ScriptedServer()) as server:
        dead, alive = account_at(server), account_at(server)
        dead.options["port"] = 9
        dead.save()
        route = route_of((dead, 0, 1), (alive, 1, 1))
        campaign = campaign_to({"example.org": 150})
        drain(route, redis)
        assert everybody_once(server)
    assert_ends(campaign, Progress(accepted=150))
    assert sent_by(alive) == 150
    breaker = AccountBreaker.objects.get()
    assert (breaker.account_id, breaker.circuit) == (dead.pk, "open")
    assert "cannot connect to 127.0.0.1:9" in breaker.reason


@pytest.mark.usefixtures("_quick")
def test_a_server_that_hangs_up_before_every_message_fails_over_too(redis: Redis) -> None:
    with (
        in_thread(ScriptedServer(On("CONNECT", reply="554 5.7.1 blocked", then="close"))) as bad,
        in_thread(ScriptedServer()) as good,
    ):
        route = route_of((account_at(bad), 0, 1), (account_at(good), 0, 1))
        campaign = campaign_to({"example.org": 120})
        drain(route, redis)
        assert everybody_once(good)
    assert_ends(campaign, Progress(accepted=120))


@pytest.mark.usefixtures("_quick")
def test_a_breaker_opens_probes_with_one_message_and_closes(redis: Redis) -> None:
    with in_thread(ScriptedServer(On("CONNECT", reply="421 4.3.2 later", then="close", times=3))) as server:
        account = account_at(server, max_connections=1)
        route = route_of((account, 0, 1))
        campaign = campaign_to({"example.org": 40})
        drain(route, redis)
        assert everybody_once(server)
        assert server.n_connections == 4
    assert_ends(campaign, Progress(accepted=40))
    assert AccountBreaker.objects.get(account=account).circuit == "closed"


def test_a_breaker_that_another_worker_opened_holds_here(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        route = route_of((account, 0, 1))
        until = timezone.now() + timedelta(minutes=1)
        AccountBreaker.objects.create(account=account, circuit="open", until=until, reason="421 go away", version=4)
        campaign = campaign_to({"example.org": 3})
        drain(route, redis, seconds=0.5)
        assert server.received == []
        assert_ends(campaign, Progress(pending=3))
        assert "is out of order: 421 go away" in last_trouble(redis, route.pk)
        resume_account(account.pk)
        Batch.objects.update(due_at=timezone.now())
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=3))


def test_only_one_worker_gets_the_probe(redis: Redis) -> None:
    account = account_at(ScriptedServer(port=9))
    now = timezone.now()
    AccountBreaker.objects.create(account=account, circuit="open", until=now, n_opened=1, reason="421", version=1)
    workers = [breakers.Breakers(), breakers.Breakers()]
    for worker in workers:
        worker.read([account.pk])
    assert [worker.room(account.pk, now) for worker in workers] == [1, 0]
    workers[0].close(now)
    workers[1].read([account.pk])
    assert workers[1].room(account.pk, now) == 1


def test_a_refused_login_suspends_the_account_in_the_servers_words_and_the_other_account_sends(redis: Redis) -> None:
    features = ("PIPELINING", "AUTH PLAIN")
    rejecting = ScriptedServer(On("AUTH", reply="535 5.7.8 Bad credentials"), features=features)
    with in_thread(rejecting) as bad, in_thread(ScriptedServer()) as good:
        locked, works = account_at(bad), account_at(good)
        locked.secrets = {"username": "u", "password": "p"}
        locked.save()
        route = route_of((locked, 0, 1), (works, 1, 1))
        campaign = campaign_to({"example.org": 20})
        drain(route, redis)
        assert everybody_once(good)
        assert bad.n_connections == 1
    assert_ends(campaign, Progress(accepted=20))
    locked.refresh_from_db()
    assert "Bad credentials" in locked.suspended_reason
    assert locked.suspended_until is not None
    assert timedelta(minutes=55) < locked.suspended_until - timezone.now() < timedelta(minutes=61)


def test_a_route_whose_accounts_are_all_suspended_says_why(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        route = route_of((account, 0, 1))
        campaign = campaign_to({"example.org": 2})
        until = timezone.now() + timedelta(hours=1)
        assert suspend_account(account.pk, until=until, reason="Daily sending quota exceeded")
        assert not suspend_account(account.pk, until=until, reason="the same again")
        drain(route, redis)
        assert_ends(campaign, Progress(pending=2))
        assert "Daily sending quota exceeded" in last_trouble(redis, route.pk)
        assert resume_account(account.pk)
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=2))


def test_source_addresses_are_bound_share_by_weight_and_are_on_record(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        two = SourceAddress.objects.create(account=account, address="127.0.0.2", weight=1, helo_name="two.example")
        three = SourceAddress.objects.create(account=account, address="127.0.0.3", weight=3)
        SourceAddress.objects.create(account=account, address="127.0.0.4", enabled=False)
        route = route_of((account, 0, 1))
        campaign = campaign_to({"example.org": 200})
        drain(route, redis)
        assert everybody_once(server)
        sent = Counter(server.peers[message.connection] for message in server.received)
        assert sent == {"127.0.0.2": 50, "127.0.0.3": 150}
        assert any(line == b"EHLO two.example" for _, line in server.lines)
    rows = OutcomeRow.objects.filter(campaign_id=campaign.pk)
    by_source = Counter(rows.values_list("source_id", flat=True))
    assert by_source == {two.pk: 50, three.pk: 150}


def test_a_source_address_keeps_its_own_day_quota(redis: Redis) -> None:
    with in_thread(ScriptedServer()) as server:
        account = account_at(server)
        SourceAddress.objects.create(account=account, address="127.0.0.2", messages_per_day=30)
        SourceAddress.objects.create(account=account, address="127.0.0.3")
        route = route_of((account, 0, 1))
        campaign_to({"example.org": 200})
        drain(route, redis)
        sent = Counter(server.peers[message.connection] for message in server.received)
    assert sent == {"127.0.0.2": 30, "127.0.0.3": 170}
