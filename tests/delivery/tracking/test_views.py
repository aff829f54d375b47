"""Pixel, redirects and honeypot: what is answered, what is kept, what a forged address cannot do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from delivery.models import Event, Link
from delivery.partitions import ensure_event_partitions
from delivery.tracking import linktable, views
from delivery.tracking.flushing import flush_hits
from delivery.tracking.hits import QUEUE, Hit, decode_hit
from delivery.tracking.links import dynamic_link_path
from delivery.tracking.linktable import LinkTable, publish_links
from tests.delivery.factories import make_campaign, make_list
from tests.delivery.tracking.factories import CHROME

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example/sale?utm_source=news&x=1"


@pytest.fixture(autouse=True)
def fresh_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the link table that another one left in memory."""
    table = LinkTable(views.redis(), views.database_outage())
    monkeypatch.setattr(views, "links", lambda: table)
    views.database_outage().clear()


@pytest.fixture
def campaign_id() -> int:
    campaign = make_campaign(make_list(), state="sending", launched_at=datetime(2026, 1, 1, tzinfo=UTC))
    Link.objects.create(campaign_id=campaign.pk, index=0, url=SHOP)
    Link.objects.create(campaign_id=campaign.pk, index=1, url="{{ contact.url }}", dynamic=True)
    return campaign.pk


def reader(**headers: str) -> Client:
    return Client(headers={"user-agent": CHROME, **headers})


def token(campaign_id: int, contact_id: int = 5) -> str:
    return views.tokens().make(campaign_id, contact_id)


def kept(redis: Redis) -> list[Hit]:
    hits = [decode_hit(raw) for raw in cast("list[bytes]", redis.lrange(QUEUE, 0, -1))]
    assert None not in hits
    return [hit for hit in hits if hit is not None]


def dynamic_path(campaign_id: int, url: str) -> str:
    return dynamic_link_path(views.link_secret(), campaign_id, 1, url)


def test_a_click_is_kept_and_redirected(redis: Redis, campaign_id: int) -> None:
    answer = reader().get(f"/c/{token(campaign_id)}/0", REMOTE_ADDR="192.0.2.77")
    assert (answer.status_code, answer["Location"]) == (302, SHOP)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store, private", "no-referrer")
    assert answer.cookies == {}
    (hit,) = kept(redis)
    assert (hit.kind, hit.campaign_id, hit.contact_id, hit.link_index) == ("clicked", campaign_id, 5, 0)
    assert (hit.network, hit.user_agent, hit.method, hit.purpose) == ("192.0.2.0/24", CHROME, "GET", "")


def test_an_open_is_kept_and_answered_with_the_pixel(redis: Redis, campaign_id: int) -> None:
    answer = reader(**{"sec-purpose": "prefetch"}).get(f"/o/{token(campaign_id)}", REMOTE_ADDR="2001:db8:1:2::3")
    assert (answer.status_code, answer["Content-Type"], len(answer.content)) == (200, "image/gif", 42)
    assert answer["Cache-Control"] == "no-store, private"
    (hit,) = kept(redis)
    assert (hit.kind, hit.link_index, hit.network, hit.purpose) == ("opened", None, "2001:db8:1::/48", "prefetch")


def test_a_link_with_its_target_inside_leads_there(redis: Redis, campaign_id: int) -> None:
    answer = reader().get(f"/d/{token(campaign_id)}/{dynamic_path(campaign_id, 'https://shop.example/ü?a=b')}")
    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/%C3%BC?a=b")
    assert [(hit.kind, hit.link_index) for hit in kept(redis)] == [("clicked", 1)]


def test_the_honeypot_is_kept_and_leads_nowhere(redis: Redis, campaign_id: int) -> None:
    answer = reader().get(f"/h/{token(campaign_id)}")
    assert answer.status_code == 404
    assert [hit.kind for hit in kept(redis)] == ["honeypot"]


@pytest.mark.parametrize("path", ["/o/{}", "/c/{}/0", "/h/{}", "/c/{}/99"])
def test_a_token_that_is_none_leaves_nothing(redis: Redis, campaign_id: int, path: str) -> None:
    answer = reader().get(path.format("A" * 22))
    assert (answer.status_code, answer["Cache-Control"]) == (200 if path == "/o/{}" else 404, "no-store, private")
    assert kept(redis) == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_other_methods_are_refused_and_leave_nothing(redis: Redis, campaign_id: int, method: str) -> None:
    dynamic = dynamic_path(campaign_id, "https://shop.example/")
    for path in ("/o/{}", "/c/{}/0", "/d/{}/" + dynamic):
        assert getattr(reader(), method)(path.format(token(campaign_id))).status_code == 405
    assert kept(redis) == []


def test_head_is_answered_like_get_and_kept_as_what_it_is(redis: Redis, campaign_id: int) -> None:
    answer = reader().head(f"/c/{token(campaign_id)}/0")
    assert (answer.status_code, answer["Location"]) == (302, SHOP)
    assert [hit.method for hit in kept(redis)] == ["HEAD"]


def test_a_link_that_the_campaign_does_not_have_leads_nowhere(redis: Redis, campaign_id: int) -> None:
    assert reader().get(f"/c/{token(campaign_id)}/7").status_code == 404
    assert reader().get(f"/c/{token(campaign_id + 1)}/0").status_code == 404
    assert kept(redis) == []


@hypothesis_settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("https://evil.example/")
@example("//evil.example/")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_nothing_in_a_request_becomes_a_location(redis: Redis, campaign_id: int, evil: str) -> None:
    tried = quote(evil, safe="")
    mac, _, target = dynamic_path(campaign_id, "https://shop.example/").partition("/")[2].partition("/")
    valid = token(campaign_id)
    paths = [
        f"/c/{valid}/0?url={tried}&next={tried}&u={tried}",
        f"/c/{valid}/0/{tried}",
        f"/c/{tried}/0",
        f"/d/{valid}/1/{mac}/{tried}",
        f"/d/{valid}/1/{tried}/{target}",
        f"/d/{valid}/2/{mac}/{target}",
        f"/d/{token(campaign_id + 1)}/1/{mac}/{target}",
        f"/o/{valid}?url={tried}",
        f"/h/{valid}?url={tried}",
    ]
    headers = {"x-forwarded-host": "evil.example", "referer": "https://evil.example/", "x-original-url": "/evil"}
    answers = [reader(**headers).get(path) for path in paths]
    assert {answer.get("Location") for answer in answers} <= {SHOP, None}
    assert answers[0]["Location"] == SHOP


def test_a_target_that_is_no_web_address_is_not_followed(redis: Redis, campaign_id: int) -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "/admin/", "ftp://x.example/"):
        Link.objects.filter(campaign_id=campaign_id, index=0).update(url=url)
        publish_links(redis, campaign_id)
        views.links()._kept.clear()
        assert reader().get(f"/c/{token(campaign_id)}/0").status_code == 404, url
        assert reader().get(f"/d/{token(campaign_id)}/{dynamic_path(campaign_id, url)}").status_code == 404, url
    assert kept(redis) == []


def test_a_switched_off_link_leads_nowhere_until_it_is_switched_on_again(
    redis: Redis, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linktable, "FRESH_SECONDS", 0.0)
    marketer = Client()
    marketer.force_login(User.objects.create_superuser("maria", "maria@example.com", "pw"))
    addresses = {0: f"/c/{token(campaign_id)}/0", 1: f"/d/{token(campaign_id)}/{dynamic_path(campaign_id, SHOP)}"}
    for index, address in addresses.items():
        assert reader().get(address).status_code == 302
        switch = f"/admin/delivery/reports/{campaign_id}/links/{index}/switch/"
        assert marketer.get(switch).status_code == 405
        assert marketer.post(switch).status_code == 302
        assert reader().get(address).status_code == 404
        marketer.post(switch)
        assert reader().get(address).status_code == 302
    assert Counter(hit.link_index for hit in kept(redis)) == {0: 2, 1: 2}


def test_the_hit_is_in_redis_before_it_is_answered(
    redis: Redis, campaign_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    really = views._redirect

    def watched(url: str) -> HttpResponse:
        seen.append(len(kept(redis)))
        return really(url)

    monkeypatch.setattr(views, "_redirect", watched)
    reader().get(f"/c/{token(campaign_id)}/0")
    assert seen == [1]


def test_the_client_behind_trusted_proxies_is_believed_and_no_other(
    redis: Redis, campaign_id: int, settings: Any
) -> None:
    forged = {"x-forwarded-for": "203.0.113.9, 198.51.100.4"}
    path = f"/c/{token(campaign_id)}/0"
    reader(**forged).get(path, REMOTE_ADDR="192.0.2.1")
    settings.TRUSTED_PROXIES = 1
    reader(**forged).get(path, REMOTE_ADDR="192.0.2.1")
    settings.TRUSTED_PROXIES = 3
    reader(**forged).get(path, REMOTE_ADDR="192.0.2.1")
    reader().get(path, REMOTE_ADDR="nonsense")
    assert [hit.network for hit in kept(redis)] == ["192.0.2.0/24", "198.51.100.0/24", "192.0.2.0/24", ""]


def test_an_odd_user_agent_loses_no_hit(redis: Redis, campaign_id: int) -> None:
    ensure_event_partitions(datetime.now(UTC))
    for agent in ("", "\\N", "a\tb", "x" * 5000, "ü€"):
        Client(headers={"user-agent": agent}).get(f"/o/{token(campaign_id)}")
    assert flush_hits(redis, now=datetime.now(UTC)) == 5
    assert sorted(len(agent) for agent in Event.objects.values_list("user_agent", flat=True)) == [0, 2, 2, 3, 300]


def test_the_views_ask_the_database_for_nothing_once_the_links_are_published(
    redis: Redis, campaign_id: int, django_assert_num_queries: Any
) -> None:
    publish_links(redis, campaign_id)
    with django_assert_num_queries(0):
        reader().get(f"/c/{token(campaign_id)}/0")
        reader().get(f"/d/{token(campaign_id)}/{dynamic_path(campaign_id, SHOP)}")
        reader().get(f"/o/{token(campaign_id)}")
        reader().get(f"/h/{token(campaign_id)}")
    assert len(kept(redis)) == 4


def test_a_public_page_may_load_nothing_but_our_own_styles(campaign_id: int) -> None:
    policy = reader().get(f"/h/{token(campaign_id)}")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert settings.PUBLIC_CONTENT_SECURITY_POLICY["frame-ancestors"] == ["'none'"]
