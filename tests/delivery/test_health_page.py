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
from delivery.models import AccountBreaker, ProviderAccount, ShapingMeasure, SitePace
from delivery.sending import counts, presence
from delivery.sending.counts import read_hour, read_rates
from delivery.shaping.rules import Action
from tests.delivery.factories import make_account, make_list, make_readers, make_route, make_sending
from tests.delivery.sending.test_drain import drain, route_to
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


def test_queries_do_not_grow_with_sites_and_messages(redis: Redis) -> None:
    make_account()

    def n_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read_health(redis, now=timezone.now())
        return len(captured)

    few = n_queries()
    now = timezone.now()
    account = ProviderAccount.objects.get()
    for number in range(20):
        SitePace.objects.create(
            target=f"path:{account.pk}::site{number}", account=account, site=f"site{number}", factor=0.5,
            changed_at=now, full_at=now + timedelta(hours=1),
        )  # fmt: skip
    assert n_queries() == few


def test_only_who_may_see_providers_sees_it(client: Client, redis: Redis) -> None:
    client.force_login(User.objects.create_user("bob", is_staff=True), "django.contrib.auth.backends.ModelBackend")
    assert client.get(PAGE).status_code == 403
