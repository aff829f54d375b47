"""How connections are made: the account's figures, a site's own where the server is the site's, lowered by measures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from delivery.models import ShapingMeasure, ShapingRule, SiteProfile, SourceAddress
from delivery.sending.standing import read_standing
from delivery.sending.transports import lines_of, smtp_config
from delivery.shaping.profiles import Tls as SiteTls
from delivery.shaping.rules import Action
from delivery.smtp.config import Tls
from tests.delivery.factories import make_account
from tests.delivery.sending.control import account_at, campaign_to, drain, everybody_once, route_of
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bare")]


def local_site(**figures: object) -> SiteProfile:
    """A site whose mail exchangers are called localhost."""
    return SiteProfile.objects.create(site="here", mx_suffixes=["localhost"], **figures)


def test_a_relays_connections_are_no_sites() -> None:
    local_site(connections=1)
    lines = lines_of(make_account(host="127.0.0.1", max_connections=7), None, read_standing(now=timezone.now()))
    assert (lines.site, lines.most, lines.messages_per_connection) == ("", 7, 1000)


def test_a_sites_own_server_gets_the_sites_connections_tls_and_patience() -> None:
    local_site(connections=3, messages_per_connection=20, tls="required", idle_s=30, connections_per_minute=50)
    account = make_account(host="localhost", max_connections=7)
    lines = lines_of(account, None, read_standing(now=timezone.now()))
    assert (lines.site, lines.most, lines.messages_per_connection, lines.tls) == ("here", 3, 20, SiteTls.REQUIRED)
    assert lines.site_opening is not None
    assert (lines.site_opening.count, lines.site_opening.seconds) == (50, 60)
    config = smtp_config(account, None, lines)
    assert (config.tls, config.verify, config.timeouts.idle) == (Tls.STARTTLS, True, 30.0)
    assert config.max_messages_per_connection == 20


def test_a_measure_lowers_an_accounts_connections() -> None:
    account = make_account(max_connections=7)
    now = timezone.now()
    for action, value in ((Action.LOWER_CONNECTIONS, 2), (Action.LOWER_MESSAGES_PER_CONNECTION, 5)):
        ShapingMeasure.objects.create(
            rule="r",
            action=action,
            value=value,
            target=f"account:{account.pk}",
            account=account,
            reply="421 too many",
            reason="held",
            began_at=now,
            until=now + timedelta(hours=1),
        )
    source = SourceAddress.objects.create(account=account, address="127.0.0.2", max_connections=4)
    lines = lines_of(account, source, read_standing(now=timezone.now()))
    assert (lines.most, lines.messages_per_connection) == (2, 5)


def test_connections_to_a_sites_own_server_stay_within_its_profile(redis: Redis) -> None:
    local_site(connections=2, messages_per_connection=10, connections_per_minute=None)
    with in_thread(ScriptedServer()) as server:
        account = account_at(server, max_connections=8)
        account.options["host"] = "localhost"
        account.save()
        route = route_of((account, 0, 1))
        campaign_to({"example.org": 100})
        drain(route, redis)
        assert everybody_once(server)
        assert server.most_open <= 2
        assert server.n_connections >= 10


def test_what_a_sites_own_server_says_while_it_hangs_up_is_held_against_the_rules(redis: Redis) -> None:
    local_site(connections_per_minute=None)
    ShapingRule.objects.create(key="full", pattern="too many connections", connections=1, minutes=30)
    hang_up = On("RCPT", reply="421 4.7.0 too many connections from you", then="close", times=1)
    with in_thread(ScriptedServer(hang_up)) as server:
        account = account_at(server, max_connections=1)
        account.options["host"] = "localhost"
        account.save()
        route = route_of((account, 0, 1))
        campaign_to({"example.org": 20})
        drain(route, redis)
        assert everybody_once(server)
    measure = ShapingMeasure.objects.get()
    assert (measure.target, measure.action, measure.value) == (f"path:{account.pk}::here", "lower_connections", 1)
    assert lines_of(account, None, read_standing(now=timezone.now())).most == 1
