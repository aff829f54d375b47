from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from delivery.site_names import normalise, provider_label, site_of
from delivery.site_tables import DOMAINS, FAMILIES, LABELS, MX_SUFFIXES
from delivery.sites import RedisSiteCache, resolve_site, site_of_exchangers, sites_of
from tests.delivery.dns_server import DnsServer, serving

RECORDS = {
    "shop.example": ["1 aspmx.l.google.com.", "5 alt1.aspmx.l.google.com."],
    "firm.example": ["0 firm-example.mail.protection.outlook.com."],
    "dane.example": ["0 firm.r-v1.mx.microsoft."],
    "cn.example": ["5 mxbiz1.qq.com.", "10 mxbiz2.qq.com."],
    "own.example": ["10 mx1.own.example.", "20 mx2.own.example."],
    "hosted.example": ["10 mx1.hoster.test.", "10 mx2.hoster.test."],
    "backup.example": ["5 mail.backup.example.", "10 aspmx.l.google.com."],
    "nomx.example": [],
    "nomail.example": ["0 ."],
}


class MemoryCache:
    """Keeps everything, with the seconds it was to be kept."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, int]] = {}

    def get(self, domains: list[str]) -> dict[str, str]:
        return {domain: self.kept[domain][0] for domain in domains if domain in self.kept}

    def put(self, domain: str, site: str, ttl_s: int) -> None:
        self.kept[domain] = (site, ttl_s)


@pytest.fixture(scope="module")
def names() -> Iterator[DnsServer]:
    with serving(DnsServer(mx=RECORDS, broken={"broken.example"}, silent={"silent.example"})) as server:
        yield server


@pytest.mark.parametrize(
    ("domain", "site"),
    [
        ("gmail.com", "google"),
        ("GoogleMail.com.", "google"),
        ("hotmail.com", "outlook"),
        ("hotmail.co.uk", "outlook"),
        ("live.com.mx", "outlook"),
        ("live.nl", "outlook"),
        ("outlook.fr", "outlook"),
        ("msn.com", "outlook"),
        ("yahoo.com", "yahoo"),
        ("yahoo.com.br", "yahoo"),
        ("yahoo.co.jp", "yahoo-japan"),
        ("ymail.com", "yahoo"),
        ("aol.com", "yahoo"),
        ("icloud.com", "apple"),
        ("me.com", "apple"),
        ("foxmail.com", "qq"),
        ("126.com", "netease"),
        ("gmx.de", "united-internet"),
        ("web.de", "united-internet"),
        ("wanadoo.fr", "orange"),
        ("comcast.net", "comcast"),
        ("mail.ru", "mailru"),
        ("ya.ru", "yandex"),
        ("live.shop", "live.shop"),
        ("outlook.example.com", "outlook.example.com"),
        ("Shop.Example", "shop.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ],
)
def test_the_site_of_a_domain_without_dns(domain: str, site: str) -> None:
    assert site_of(domain) == site


@pytest.mark.parametrize(
    ("domain", "site", "ttl_s"),
    [
        ("shop.example", "google", 7200),
        ("firm.example", "office365", 7200),
        ("dane.example", "office365", 7200),
        ("cn.example", "qq", 7200),
        ("own.example", "own.example", 7200),
        ("hosted.example", "hoster.test", 7200),
        ("backup.example", "backup.example", 7200),
        ("nomx.example", "nomx.example", 3600),
        ("nomail.example", "nomail.example", 7200),
        ("missing.example", "missing.example", 3600),
        ("broken.example", "broken.example", 300),
        ("silent.example", "silent.example", 300),
        ("no such domain", "no such domain", 3600),
        ("x" * 70 + ".example", "x" * 70 + ".example", 300),
    ],
)
def test_the_site_of_a_domain_by_its_mx_records(names: DnsServer, domain: str, site: str, ttl_s: int) -> None:
    cache = MemoryCache()
    assert resolve_site(domain, names.resolver(), cache) == site
    assert cache.kept == {domain: (site, ttl_s)}


def test_dns_is_asked_once_and_never_for_domains_of_the_tables(names: DnsServer) -> None:
    cache = MemoryCache()
    names.asked.clear()
    assert [resolve_site("Shop.example", names.resolver(), cache) for _ in range(3)] == ["google"] * 3
    assert resolve_site("gmail.com", names.resolver(), cache) == "google"
    assert names.asked == ["shop.example"]


def test_an_operators_own_exchangers_count(names: DnsServer) -> None:
    table = MX_SUFFIXES | {".hoster.test": "hoster"}
    assert resolve_site("hosted.example", names.resolver(), MemoryCache(), table) == "hoster"


def test_the_planner_gets_sites_without_dns_and_what_is_left_to_resolve(redis: Redis) -> None:
    cache = RedisSiteCache(redis)
    cache.put("shop.example", "google", 60)
    domains = ["gmail.com", "shop.example", "new.example"]
    sites, unresolved = sites_of(domains, cache)
    assert sites == {"gmail.com": "google", "shop.example": "google", "new.example": "new.example"}
    assert unresolved == ["new.example"]
    assert 0 < redis.ttl("fanfare:site:shop.example") <= 60


def test_without_redis_sites_are_still_known(names: DnsServer) -> None:
    cache = RedisSiteCache(Redis(port=1, retry=Retry(NoBackoff(), 0)))
    assert resolve_site("shop.example", names.resolver(), cache) == "google"
    assert sites_of(["gmail.com", "new.example"], cache)[1] == ["new.example"]
    assert cache.get([]) == {}


@pytest.mark.parametrize(
    ("hosts", "site"),
    [
        ([], "shop.example"),
        ([(10, "a.foo.co.uk"), (10, "b.bar.co.uk")], "a.foo.co.uk"),
        ([(10, "mx.foo.com"), (20, "mx.bar.com")], "mx.foo.com"),
        ([(20, "mx2.eu.hoster.test"), (10, "mx1.eu.hoster.test")], "eu.hoster.test"),
        ([(10, "only.hoster.test")], "only.hoster.test"),
        ([(10, "filter.shop.example")], "shop.example"),
    ],
)
def test_unknown_exchangers_give_the_domain_that_they_share(hosts: list[tuple[int, str]], site: str) -> None:
    assert site_of_exchangers("shop.example", hosts) == site


@given(st.text(max_size=300))
def test_any_text_has_a_site_that_fits_its_column(domain: str) -> None:
    assert len(site_of(domain)) <= 100
    assert normalise(normalise(domain)) == normalise(domain)


def test_every_site_of_the_tables_has_a_name() -> None:
    sites = {*DOMAINS.values(), *MX_SUFFIXES.values(), *FAMILIES.values()}
    assert sites - set(LABELS) == set()
    assert set(LABELS) - sites == set()
    assert provider_label("google") == "Gmail and Google Workspace"
    assert provider_label("shop.example") == "shop.example"
