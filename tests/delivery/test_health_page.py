"""The monitoring page: figures of real drains, words of servers, buttons that work, and what it says without Redis."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from delivery.health import memory_policy, read_health
from delivery.limits.connections import Slot, lease_connection
from delivery.models import (
    AccountBreaker,
    ProviderAccount,
    ShapingMeasure,
    SitePace,
    SiteProfile,
    SourceAddress,
    WarmUp,
)
from delivery.outcomes import Outcome, Result
from delivery.progress import progress_of
from delivery.sending import counts, presence
from delivery.sending.counts import read_hour, read_rates
from delivery.sending.lease import Settled
from delivery.shaping.rules import Action
from tests.delivery.factories import make_account, make_list, make_readers, make_route, make_sending
from tests.delivery.sending.test_drain import drain, in_background, route_to
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/delivery/health/"
REPLY = "451 4.7.1 Greylisted, try again in 300 seconds"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        User.objects.create_superuser("olga", "olga@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def send_some(redis: Redis) -> ProviderAccount:
    """200 readers at Gmail and 20 elsewhere; two are refused, three put off."""
    mailing_list = make_list()
    make_readers(200, mailing_list, domain="gmail.com")
    rules = (On("RCPT", reply="550 5.1.1 unknown", times=2), On("RCPT", reply=REPLY, times=3))
    with in_thread(ScriptedServer(*rules)) as server:
        route = route_to(server, messages_per_day=1000)
        make_sending(20, mailing_list=mailing_list, route=route)
        drain(route, redis)
    return ProviderAccount.objects.get()


def test_the_hours_counts_equal_the_outcomes_by_account_and_site(redis: Redis) -> None:
    account = send_some(redis)
    hour = read_hour(redis)
    assert {name: hour.total(name) for name in counts.RESULTS} == {
        "accepted": 215, "deferred": 3, "refused": 2, "other": 0,
    }  # fmt: skip
    by_site = {site: sum(hour.total(name, site=site) for name in counts.RESULTS) for site in ("google", "")}
    assert by_site == {"google": 200, "": 20}
    assert hour.total("accepted", account_id=account.pk) == 215
    assert hour.total("accepted", account_id=account.pk + 1) == 0
    assert hour.since is not None
    rates = read_rates(redis)
    assert set(rates) == {(account.pk, "google"), (account.pk, "")}
    assert 10 <= sum(rates.values()) <= 22


def test_after_a_flush_the_page_says_since_when_it_counts(redis: Redis, operator: Client) -> None:
    send_some(redis)
    assert "Counted since " in operator.get(PAGE).content.decode()
    redis.set(counts.SINCE, timezone.now().timestamp() - 7200)
    assert "Counted since " not in operator.get(PAGE).content.decode()
    redis.flushdb()
    page = operator.get(PAGE).content.decode()
    assert "Nothing was sent in the last hour." in page


def test_counting_costs_a_drain_one_pipeline_a_second(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = counts.Counts.write

    def count(self: counts.Counts, redis: Redis) -> None:
        written.append(len(self._waiting))
        write(self, redis)

    monkeypatch.setattr(counts.Counts, "write", count)
    send_some(redis)
    assert len([n for n in written if n]) <= 4
    keys = [key for key in redis.scan_iter("fanfare:counts:*") if key.decode() != counts.SINCE]
    assert all(0 < redis.ttl(key) <= 7200 for key in keys)


def test_the_page_shows_accounts_sites_deferrals_routes_and_processes(redis: Redis, operator: Client) -> None:
    account = send_some(redis)
    presence.note_process(redis, "send@one", {"send"})
    presence.note_worker(redis, "send@one")
    presence.note_beat(redis)
    presence.note_tick(redis)
    page = operator.get(PAGE).content.decode()
    words = ("215", "220 of 1,000 (22 %)", "Google", "All smaller sites", "greylist", "Greylisted, try again in 300")
    for text in (*words, "send@one", "Messages per minute", account.name):
        assert text in page, text
    assert "No worker" not in page
    part = operator.get(PAGE, {"site": "google"}, headers={"HX-Request": "true"}).content.decode()
    assert "The last hour, Gmail" in part or "The last hour, Google" in part
    assert "<html" not in part


def test_a_missing_worker_and_a_silent_beat_stand_on_top(redis: Redis, operator: Client) -> None:
    make_account()
    assert "No worker that sends is alive." in operator.get(PAGE).content.decode()
    presence.note_worker(redis, "send@one")
    assert "Nothing ticks: beat is silent." in operator.get(PAGE).content.decode()


def test_an_empty_installation_is_told_what_to_do(redis: Redis, operator: Client) -> None:
    page = operator.get(PAGE).content.decode()
    assert "No provider account yet" in page
    assert "/admin/delivery/provideraccount/add/" in page


def test_measures_and_held_accounts_are_taken_back_on_the_page(redis: Redis, operator: Client) -> None:
    account = make_route(make_account()).accounts.get()
    now = timezone.now()
    measure = ShapingMeasure.objects.create(
        rule="yahoo-ts04",
        action=Action.SUSPEND,
        target=f"path:{account.pk}::yahoo",
        account=account,
        site="yahoo",
        reply="421 4.7.0 [TSS04] Messages deferred",
        reason="suspended for 2 hours",
        began_at=now - timedelta(minutes=1),
        until=now + timedelta(hours=2),
    )
    SitePace.objects.create(
        target=f"path:{account.pk}::google", account=account, site="google", factor=0.5, changed_at=now,
        full_at=now + timedelta(minutes=10),
    )  # fmt: skip
    AccountBreaker.objects.create(account=account, circuit="open", reason="9 of 10 attempts failed")
    page = operator.get(PAGE).content.decode()
    assert "421 4.7.0 [TSS04] Messages deferred" in page
    assert "slowed: the site asked for it" in page
    assert "9 of 10 attempts failed" in page
    answer = operator.post(f"/admin/delivery/shapingmeasure/{measure.pk}/revoke/", {"next": PAGE})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    answer = operator.post(f"/admin/delivery/provideraccount/{account.pk}/resume/", {"next": PAGE})
    assert answer["Location"] == PAGE
    page = operator.get(PAGE).content.decode()
    assert "[TSS04]" not in page
    assert "9 of 10" not in page


def test_without_redis_the_page_says_so(operator: Client, settings: Any) -> None:
    make_account()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "Redis does not answer: sending has stopped." in operator.get(PAGE).content.decode()


def test_an_unsafe_memory_policy_is_named(redis: Redis, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_account()
    assert memory_policy(redis) == "noeviction"
    assert "maxmemory-policy" not in operator.get(PAGE).content.decode()
    monkeypatch.setattr("delivery.health.memory_policy", lambda redis: "allkeys-lru")
    assert "its maxmemory-policy is “allkeys-lru”. Set it to noeviction." in operator.get(PAGE).content.decode()


def test_its_cost_does_not_grow_with_accounts_sites_and_warm_ups(redis: Redis) -> None:
    def cost() -> tuple[int, int]:
        before = redis.info("stats")["total_reads_processed"]
        with CaptureQueriesContext(connection) as captured:
            read_health(redis, now=timezone.now())
        return len(captured), redis.info("stats")["total_reads_processed"] - before

    now = timezone.now()
    account = make_route(make_account()).accounts.get()
    SourceAddress.objects.create(account=account, address="127.0.0.2")
    few = cost()
    for number in range(20):
        other = make_account()
        make_route(other, default=False)
        SourceAddress.objects.create(account=other, address="127.0.0.2")
        AccountBreaker.objects.create(account=other, circuit="open", reason="9 of 10 attempts failed")
        WarmUp.objects.create(account=other, started_on=timezone.localdate())
        SitePace.objects.create(
            target=f"path:{account.pk}::site{number}", account=account, site=f"site{number}", factor=0.5,
            changed_at=now, full_at=now + timedelta(hours=1),
        )  # fmt: skip
    assert cost() == few


def test_connections_caps_and_quotas_are_shown_by_source_and_site(redis: Redis, operator: Client) -> None:
    account = make_account(host="mx1.mail.yahoodns.net", max_connections=6)
    source = SourceAddress.objects.create(account=account, address="127.0.0.2", messages_per_day=500)
    profile = {"connections": 4, "messages_per_day": 300, "mx_suffixes": [".yahoodns.net"]}
    SiteProfile.objects.update_or_create(site="yahoo", defaults=profile)
    path, day = f"path:{account.pk}:{source.pk}:yahoo", f"{timezone.now():%Y-%m-%d}"
    for slots in ((path, f"source:{source.pk}", f"account:{account.pk}"), (f"account:{account.pk}",)):
        lease_connection(redis, [Slot(key, 6) for key in slots])
    warm_up = WarmUp.objects.create(account=account, source=source, site="yahoo", started_on=timezone.localdate())
    redis.mset({f"fanfare:limits:quota:{key}:{day}": n for key, n in (
        (path, 120), (f"source:{source.pk}", 130), (f"warmup:{warm_up.pk}", 50))})  # fmt: skip
    sending = counts.Counts()
    sending.add("yahoo", [Settled(0, 1, account.pk, Outcome(Result.ACCEPTED))])
    sending.write(redis)
    health = read_health(redis, now=timezone.now())
    (line,) = health.accounts
    (own,) = line.sources
    (way,) = health.paths[0].ways
    (warming,) = health.warm_ups
    assert (line.connections, own.connections, own.most, own.used_today) == (2, 1, 6, 130)
    assert (way.connections, way.shaped.connections, way.limit, way.used_today) == (1, 4, "300 a day", 120)
    assert (warming.cap, warming.used_today, warming.percent, warming.day) == (200, 50, 25, "1 of 42")
    page = operator.get(PAGE).content.decode()
    for words in (
        "1 of 6 connections",
        "127.0.0.2: 1 of 4",
        "127.0.0.2: 300 a day",
        "120 used today",
        "50 of 200 (25 %)",
    ):
        assert words in page, words


def test_a_relays_connections_are_no_sites_and_a_stopped_warm_up_says_why(redis: Redis, operator: Client) -> None:
    account = send_some(redis)
    WarmUp.objects.create(
        account=account, started_on=timezone.localdate(), stopped_at=timezone.now(), stopped_reason="5.0% bounced"
    )
    health = read_health(redis, now=timezone.now())
    assert {way.connections for line in health.paths for way in line.ways} == {None}
    assert health.warm_ups[0].status == ("bad", "Stopped")
    assert "5.0% bounced" in operator.get(PAGE).content.decode()


def test_a_running_drain_shows_its_connections_and_what_its_warm_up_used(redis: Redis) -> None:
    with in_thread(ScriptedServer(On(".", delay=0.1))) as server:
        route = route_to(server, max_connections=3)
        account = ProviderAccount.objects.get()
        WarmUp.objects.create(account=account, started_on=timezone.localdate(), first=50, last=5000)
        campaign = make_sending(80, route=route)
        draining = in_background(drain, route, redis)
        most = 0
        while draining.is_alive():
            most = max(most, read_health(redis, now=timezone.now()).accounts[0].connections)
            draining.join(0.1)
    assert 1 <= most <= 3  # a second connection is dialed when there is work for it
    progress = progress_of(campaign.pk)
    assert (progress.accepted, progress.pending) == (50, 30)
    health = read_health(redis, now=timezone.now())
    (line,), (warming,) = health.accounts, health.warm_ups
    assert (line.connections, line.hour["accepted"]) == (0, 50)
    assert (warming.used_today, warming.cap) == (50, 50)


def test_only_who_may_see_providers_sees_it(client: Client, redis: Redis) -> None:
    client.force_login(User.objects.create_user("bob", is_staff=True), "django.contrib.auth.backends.ModelBackend")
    assert client.get(PAGE).status_code == 403
