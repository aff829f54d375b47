"""What operators see and take back: profiles, rules, measures with their reply, paces, warm-ups, suspensions."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from delivery.models import (
    AccountBreaker,
    Brake,
    ProviderAccount,
    RouteChoice,
    ShapingMeasure,
    ShapingRule,
    SitePace,
    SiteProfile,
    SourceAddress,
    WarmUp,
)
from delivery.shaping.counters import count_reply
from delivery.shaping.profiles import PROFILES
from delivery.shaping.rules import Action, Effect, Heard, Rule
from delivery.shaping.starter_rules import STARTER_RULES
from tests.delivery.factories import make_account, make_route

pytestmark = pytest.mark.django_db

starters = import_module("delivery.migrations.0005_starter_profiles_and_rules")
RULE = {
    "key": "slow-down",
    "pattern": "slow down",
    "sites": "google, yahoo",
    "n_per_hour": "2",
    "messages_per_minute": "6",
    "reach": "path",
    "minutes": "30",
    "enabled": "on",
}


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        User.objects.create_superuser("olga", "olga@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def make_measure(account: ProviderAccount, *, minutes: int = 60) -> ShapingMeasure:
    now = timezone.now()
    return ShapingMeasure.objects.create(
        rule="yahoo-ts04",
        action=Action.SUSPEND,
        target=f"path:{account.pk}::yahoo",
        account=account,
        site="yahoo",
        reply="421 4.7.0 [TSS04] Messages deferred",
        reason="suspended for 2 hours: yahoo said so 2 times within an hour",
        began_at=now - timedelta(minutes=1),
        until=now + timedelta(minutes=minutes),
    )


def test_an_installation_starts_with_the_profiles_and_rules_and_they_can_be_taken_away() -> None:
    SiteProfile.objects.all().delete()
    ShapingRule.objects.all().delete()
    for _ in range(2):
        starters.add_profiles(apps, None)
        starters.add_rules(apps, None)
    google = SiteProfile.objects.get(site="google")
    assert (google.connections, google.messages_per_connection, google.tls) == (5, 50, "required")
    assert google.mx_suffixes == [".google.com", ".googlemail.com", ".psmtp.com"]
    assert SiteProfile.objects.count() == len(PROFILES)
    assert SiteProfile.objects.exclude(messages_per_second=None).get().site == "yahoo-japan"
    assert {row.value for row in ShapingRule.objects.all()} == set(STARTER_RULES)
    starters.remove_profiles(apps, None)
    starters.remove_rules(apps, None)
    assert not SiteProfile.objects.exists()
    assert not ShapingRule.objects.exists()


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("siteprofile", "every other site"),
        ("shapingrule", "yahoo-ts04"),
        ("shapingmeasure", "Revoke"),
        ("sitepace", "Full rate"),
        ("warmup", "all sites"),
        ("routechoice", "news.example"),
        ("sourceaddress", "127.0.0.2"),
    ],
)
def test_every_list_opens(operator: Client, model: str, shown: str) -> None:
    account = make_account()
    starters.add_profiles(apps, None)
    starters.add_rules(apps, None)
    RouteChoice.objects.create(route=make_route(account), sender_domain="news.example")
    SourceAddress.objects.create(account=account, address="127.0.0.2")
    WarmUp.objects.create(account=account, started_on=timezone.localdate())
    now = timezone.now()
    SitePace.objects.create(target="path:1::google", account=account, factor=0.5, changed_at=now, full_at=now)
    make_measure(account)
    assert shown in operator.get(f"/admin/delivery/{model}/").content.decode()


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("siteprofile", "See what holds now"),
        ("shapingrule", "See measures"),
        ("shapingmeasure", "No server has said anything that a shaping rule listens to."),
        ("sitepace", "Every site takes mail at full rate."),
        ("warmup", "Add one when you begin to send from an address"),
        ("routechoice", "All mail takes its brand’s route or the default one."),
        ("sourceaddress", "Only needed where your machines have several IP addresses"),
        ("route", "Your first provider gets one by itself"),
        ("provideraccount", "Connect a provider"),
        ("brake", "The shipped thresholds hold for every brand."),
        ("receipt", "Webhooks come once their address is entered at the provider"),
    ],
)
def test_an_empty_list_says_what_it_is_for_and_what_comes_next(operator: Client, model: str, shown: str) -> None:
    Brake.objects.all().delete()
    assert shown in operator.get(f"/admin/delivery/{model}/").content.decode()


@pytest.mark.parametrize(
    "model", ["siteprofile", "shapingrule", "warmup", "routechoice", "sourceaddress", "route", "brake"]
)
def test_every_field_of_an_operators_form_has_words_of_help(operator: Client, model: str) -> None:
    form = operator.get(f"/admin/delivery/{model}/add/").context["adminform"].form
    obvious = {"account", "curve", "tls", "reach", "message_kind"}  # a choice whose options say all
    silent = {name for name, field in form.fields.items() if not field.help_text}
    assert silent <= obvious


def test_lists_cost_the_same_however_long_they_are(operator: Client) -> None:
    def n_queries(model: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(f"/admin/delivery/{model}/").status_code == 200
        return len(captured)

    models = ("provideraccount", "route", "warmup", "sourceaddress", "routechoice", "sitepace", "shapingmeasure")
    counts = []
    for number in range(2):
        for _ in range(1 + 3 * number):
            account = make_account()
            AccountBreaker.objects.create(account=account, circuit="open", reason="3 of 3 failed")
            route = make_route(account, default=False)
            source = SourceAddress.objects.create(account=account, address="127.0.0.2")
            WarmUp.objects.create(account=account, source=source, started_on=timezone.localdate())
            RouteChoice.objects.create(route=route)
            now = timezone.now()
            target = f"path:{account.pk}::google"
            SitePace.objects.create(target=target, account=account, factor=0.5, changed_at=now, full_at=now)
            make_measure(account)
        counts.append({model: n_queries(model) for model in models})
    assert counts[0] == counts[1]


def test_a_time_zone_that_does_not_exist_is_refused(operator: Client) -> None:
    account = make_account()
    page = operator.post(f"/admin/delivery/provideraccount/{account.pk}/change/", {"quota_timezone": "Berlin"})
    assert "This time zone is not known" in page.content.decode()
    account.refresh_from_db()
    assert account.quota_timezone == "UTC"


def test_a_rule_is_added_with_sites_and_one_that_cannot_be_read_is_refused(operator: Client) -> None:
    page = operator.post("/admin/delivery/shapingrule/add/", RULE | {"pattern": "slow("})
    assert "This is no regular expression: missing ), unterminated subpattern at position 4." in page.content.decode()
    operator.post("/admin/delivery/shapingrule/add/", RULE)
    rule = ShapingRule.objects.get(key="slow-down").value
    assert rule == Rule("slow-down", "slow down", (Effect(Action.LOWER_RATE, 6),), 30, 2, ("google", "yahoo"))


def test_a_rule_without_effect_is_refused(operator: Client) -> None:
    page = operator.post("/admin/delivery/shapingrule/add/", RULE | {"messages_per_minute": ""})
    assert "Say what the rule does: suspend, or lower something to at least 1." in page.content.decode()
    assert not ShapingRule.objects.filter(key="slow-down").exists()


def test_a_measure_shows_its_reply_and_is_revoked_with_its_counters(operator: Client, redis: Redis) -> None:
    measure = make_measure(make_account())
    rule = Rule("yahoo-ts04", "TSS04", (Effect(Action.SUSPEND),), 120, 2)
    heard = Heard("421 [TSS04]", "yahoo", measure.account_id or 0)
    count_reply(redis, heard, [rule], timezone.now(), n=5)
    assert "[TSS04] Messages deferred" in operator.get("/admin/delivery/shapingmeasure/").content.decode()
    address = f"/admin/delivery/shapingmeasure/{measure.pk}/revoke/"
    assert operator.get(address).status_code == 405
    page = operator.post(address, follow=True)
    assert "Revoked. Workers notice within a second." in page.content.decode()
    measure.refresh_from_db()
    assert measure.revoked_at is not None
    assert measure.revoked_by == User.objects.get()
    assert count_reply(redis, heard, [rule], timezone.now()) == {"yahoo-ts04": 1}
    assert "That measure was over already." in operator.post(address, follow=True).content.decode()


def test_nobody_revokes_without_the_permission(client: Client, redis: Redis) -> None:
    client.force_login(User.objects.create_user("bob", is_staff=True), "django.contrib.auth.backends.ModelBackend")
    measure = make_measure(make_account())
    assert client.post(f"/admin/delivery/shapingmeasure/{measure.pk}/revoke/").status_code == 403
    measure.refresh_from_db()
    assert measure.revoked_at is None


def test_a_slowed_path_is_put_back_to_full_rate(operator: Client) -> None:
    now = timezone.now()
    pace = SitePace.objects.create(
        target="path:1::google", account=make_account(), factor=0.5, changed_at=now, full_at=now
    )
    operator.post(f"/admin/delivery/sitepace/restore/{pace.pk}/")
    assert not SitePace.objects.exists()


def test_a_stopped_warm_up_goes_on_at_the_cap_it_stopped_at(operator: Client) -> None:
    today = timezone.localdate()
    warm_up = WarmUp.objects.create(
        account=make_account(),
        started_on=today - timedelta(days=10),
        stopped_at=timezone.now() - timedelta(days=3),
        stopped_reason="5.0% of 200 messages bounced",
    )
    assert warm_up.cap_on(today) == 0
    operator.post(f"/admin/delivery/warmup/{warm_up.pk}/continue/")
    warm_up.refresh_from_db()
    assert (warm_up.stopped_at, warm_up.stopped_reason, warm_up.held_days) == (None, "", 3)
    assert warm_up.cap_on(today) == warm_up.caps.cap(7)


def test_a_suspended_account_says_why_and_is_resumed(operator: Client) -> None:
    account = make_account(
        suspended_until=timezone.now() + timedelta(hours=1), suspended_reason="535 5.7.8 Bad credentials"
    )
    AccountBreaker.objects.create(account=account, circuit="open", reason="3 of 3 attempts failed")
    page = operator.get(f"/admin/delivery/provideraccount/{account.pk}/change/").content.decode()
    assert "535 5.7.8 Bad credentials" in page
    operator.post(f"/admin/delivery/provideraccount/{account.pk}/resume/")
    account.refresh_from_db()
    assert (account.suspended_until, account.suspended_reason) == (None, "")
    assert not AccountBreaker.objects.exists()
    assert "Resume" not in operator.get(f"/admin/delivery/provideraccount/{account.pk}/change/").content.decode()
