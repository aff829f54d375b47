"""Drains start where something may leave: not for what is paused, suspended or broken, and at once when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from campaigns.services import pause_campaign, resume_campaign
from delivery.models import AccountBreaker, ProviderAccount, RouteMember, SourceAddress
from delivery.sending.transports import CONNECT_SECONDS, smtp_config
from delivery.services.dispatch import routes_to_drain
from deploy.celery import TICKS
from tests.delivery.factories import make_account, make_route
from tests.delivery.sending.control import campaign_to, suspend_path

pytestmark = pytest.mark.django_db(transaction=True)


def drains() -> int:
    """On the only route with work."""
    return sum(routes_to_drain(now=timezone.now()).values())


def test_an_idle_installation_starts_none(redis: Redis) -> None:
    make_route()
    assert drains() == 0


def test_a_paused_campaign_starts_none_and_a_resumed_one_does_at_once(redis: Redis) -> None:
    make_route()
    campaign = campaign_to({"shop.example": 3})
    assert drains() == 1
    pause_campaign(campaign.pk, reason="", now=timezone.now())
    assert drains() == 0
    resume_campaign(campaign.pk, now=timezone.now())
    assert drains() == 1


def test_suspended_sites_start_none_until_the_measure_is_over_or_revoked(redis: Redis) -> None:
    account = make_route().accounts.get()
    campaign_to({"gmail.com": 200})
    assert drains() == 1
    measure = suspend_path(account, "google")
    assert drains() == 0
    measure.revoked_at = timezone.now()
    measure.save()
    assert drains() == 1


def test_a_site_suspended_on_one_of_two_ways_still_has_the_other(redis: Redis) -> None:
    account = make_account()
    route = make_route(account)
    other = make_account()
    member = RouteMember.objects.create(route=route, account=other)
    campaign_to({"gmail.com": 200, "shop.example": 200})
    suspend_path(account, "google")
    assert drains() == 2
    member.delete()
    assert drains() == 1  # the other site's batch
    SourceAddress.objects.create(account=account, address="127.0.0.2")
    assert drains() == 2  # the measure was on the way without a source address


def test_suspended_and_broken_accounts_start_none_and_a_due_trial_does(redis: Redis) -> None:
    account = make_route().accounts.get()
    campaign_to({"shop.example": 3})
    later = timezone.now() + timedelta(hours=1)
    ProviderAccount.objects.update(suspended_until=later)
    assert drains() == 0
    ProviderAccount.objects.update(suspended_until=None)
    assert drains() == 1
    breaker = AccountBreaker.objects.create(account=account, circuit="open", until=later)
    assert drains() == 0
    AccountBreaker.objects.filter(pk=breaker.pk).update(until=timezone.now())
    assert drains() == 1


def test_an_idle_installation_ticks_no_more_than_seven_times_a_second() -> None:
    assert sum(1 / seconds for seconds, _ in TICKS.values()) < 7
    # What a person waits for: launch, plan, drain (pause and resume need no tick), opens and clicks.
    promised = ("campaigns.tasks.launch_due", "delivery.tasks.plan", "delivery.tasks.start_drains")
    assert {TICKS[name][0] for name in promised} == {1.0}


def test_a_host_that_swallows_packets_is_given_up_soon() -> None:
    assert smtp_config(make_account()).timeouts.connect == CONNECT_SECONDS == 15
