"""What servers say while a campaign is sent: measures and paces as rows, that hold and are taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from redis import Redis

from delivery.models import Batch, ShapingMeasure, ShapingRule, SitePace
from delivery.progress import Progress, progress_of
from delivery.services.requeueing import requeue_due
from delivery.services.revoking import restore_pace, revoke_measure
from delivery.services.shaping import hear
from delivery.shaping.rules import Heard
from tests.delivery.factories import make_account
from tests.delivery.sending.control import (
    account_at,
    assert_ends,
    campaign_to,
    domains,
    drain,
    everybody_once,
    make_due,
    route_of,
)
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]

TS04 = "451 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume"


def suspending(n_per_hour: int = 2) -> ShapingRule:
    return ShapingRule.objects.create(
        key="yahoo-ts04", pattern=r"\[TSS?04\]", sites=["yahoo"], n_per_hour=n_per_hour, suspend=True, minutes=120
    )


def test_a_rule_stops_the_path_with_the_reply_that_caused_it_and_a_person_revokes_it(redis: Redis) -> None:
    suspending()
    refusing = On("RCPT", reply=TS04, match=b"yahoo.com")
    with in_thread(ScriptedServer(refusing)) as server:
        account = account_at(server, max_connections=1)
        route = route_of((account, 0, 1))
        campaign = campaign_to({"yahoo.com": 400, "example.org": 250})
        drain(route, redis)
        assert domains(server) == {"example.org": 250}
        measure = ShapingMeasure.objects.get()
        assert (measure.rule, measure.action, measure.site) == ("yahoo-ts04", "suspend", "yahoo")
        assert measure.target == f"path:{account.pk}::yahoo"
        assert "[TSS04] Messages from 192.0.2.1 temporarily deferred" in measure.reply
        assert measure.until - measure.began_at >= timedelta(minutes=120)
        tried = progress_of(campaign.pk).deferred
        assert 2 <= tried <= 200  # two windows of what was under way
        assert_ends(campaign, Progress(accepted=250, deferred=tried, pending=400 - tried))
        drain(route, redis)
        assert progress_of(campaign.pk).deferred == tried  # nobody else was tried
        server.rules.clear()
        user = User.objects.create_user("olga")
        assert revoke_measure(measure, by=user, redis=redis, now=timezone.now())
        assert not revoke_measure(measure, by=user, redis=redis, now=timezone.now())
        SitePace.objects.all().delete()
        Batch.objects.update(due_at=timezone.now())
        make_due([campaign])
        requeue_due()
        drain(route, redis)
        assert everybody_once(server)
    assert_ends(campaign, Progress(accepted=650))


def test_one_reply_below_the_threshold_stops_nothing(redis: Redis) -> None:
    suspending(n_per_hour=3)
    with in_thread(ScriptedServer(On("RCPT", reply=TS04, match=b"yahoo.com", times=2))) as server:
        route = route_of((account_at(server), 0, 1))
        campaign = campaign_to({"yahoo.com": 30})
        drain(route, redis)
    assert_ends(campaign, Progress(accepted=28, deferred=2))
    assert not ShapingMeasure.objects.exists()


def test_a_throttled_path_goes_at_half_its_rate_and_can_be_restored(redis: Redis) -> None:
    slow_down = On("RCPT", reply="451 4.7.28 our system has detected an unusual rate of mail", match=b"gmail", times=1)
    with in_thread(ScriptedServer(slow_down)) as server:
        account = account_at(server, messages_per_second=500)
        route = route_of((account, 0, 1))
        campaign_to({"gmail.com": 20})
        drain(route, redis)
    pace = SitePace.objects.get()
    assert (pace.account, pace.site, pace.factor) == (account, "google", 0.5)
    assert "unusual rate" in pace.reply
    assert pace.full_at - pace.changed_at == timedelta(minutes=10)
    assert restore_pace(pace)


def test_replies_within_half_a_minute_halve_a_path_once_and_it_rises_slowly(redis: Redis) -> None:
    account = make_account()
    now = timezone.now()
    heard = {Heard("421 4.7.28 detected an unusual rate of mail", "google", account.pk): 3}
    assert hear(heard, redis=redis, now=now, rules=[])
    assert not hear(heard, redis=redis, now=now + timedelta(seconds=29), rules=[])
    assert hear(heard, redis=redis, now=now + timedelta(seconds=31), rules=[])
    assert SitePace.objects.get().factor == 0.25
    assert hear(heard, redis=redis, now=now + timedelta(seconds=31, minutes=4), rules=[])
    assert SitePace.objects.get().factor == pytest.approx((0.25 + 4 * 0.05) / 2)


def test_a_rule_heard_again_prolongs_its_measure_and_does_not_add_another(redis: Redis) -> None:
    suspending(n_per_hour=1)
    account = make_account()
    now = timezone.now()
    heard = {Heard(TS04, "yahoo", account.pk): 1}
    assert hear(heard, redis=redis, now=now)
    assert hear(heard, redis=redis, now=now + timedelta(minutes=5))
    measure = ShapingMeasure.objects.get()
    assert (measure.n_times, measure.until) == (2, now + timedelta(minutes=125))


def test_acceptances_and_other_sites_words_do_nothing(redis: Redis) -> None:
    suspending(n_per_hour=1)
    account = make_account()
    for text, site in (("250 2.0.0 [TSS04] ok", "yahoo"), (TS04, "google")):
        hear({Heard(text, site, account.pk): 9}, redis=redis, now=timezone.now())
    assert not ShapingMeasure.objects.exists()


def test_a_lowered_rate_holds_while_its_measure_does(redis: Redis) -> None:
    ShapingRule.objects.create(
        key="slower", pattern="slow down", n_per_hour=1, messages_per_minute=60, minutes=30, reach="account"
    )
    with in_thread(ScriptedServer(On("RCPT", reply="450 4.2.0 please slow down", times=1))) as server:
        route = route_of((account_at(server, max_connections=1), 0, 1))
        campaign = campaign_to({"example.org": 400})
        drain(route, redis, seconds=2)
    accepted = progress_of(campaign.pk).accepted
    assert ShapingMeasure.objects.get().target.startswith("account:")
    assert accepted <= 205  # what was under way, then one a second
    assert_ends(campaign, Progress(accepted=accepted, deferred=1, pending=399 - accepted))
