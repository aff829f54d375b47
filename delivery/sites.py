"""The recipient site of a domain: who really runs its mail, so that hosted domains share their host's limits.

Known domains need no DNS, others go by the exchanger that their MX record prefers (RFC 5321 section 5.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import dns.exception
import dns.name
from dns.rdtypes.ANY.MX import MX
from dns.resolver import NXDOMAIN, YXDOMAIN, LifetimeTimeout, NoAnswer, NoNameservers, Resolver
from redis import Redis
from redis.exceptions import RedisError

from .site_names import LONGEST_SITE, normalise, site_of
from .site_tables import MX_SUFFIXES

MINUTE = 60
FOUND_AT_LEAST_S, FOUND_AT_MOST_S = 60 * MINUTE, 24 * 60 * MINUTE
NOTHING_THERE_S = 60 * MINUTE
NO_ANSWER_S = 5 * MINUTE

# Second-level names under which strangers register: two hosts there have nothing in common.
_PUBLIC_SECOND_LEVEL = frozenset(
    ["ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "mil", "ne", "net", "or", "org"]
)


class SiteCache(Protocol):
    """Remembers the site of a domain for some seconds; forgetting is harmless."""

    def get(self, domains: list[str]) -> dict[str, str]:
        """The sites of those of the domains that are remembered."""
        ...

    def put(self, domain: str, site: str, ttl_s: int) -> None:
        """Remember it."""
        ...


class RedisSiteCache:
    """A cache that all workers share. Without Redis nothing is remembered, and no error comes of it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def get(self, domains: list[str]) -> dict[str, str]:
        """The sites of those of the domains that Redis knows, in one call."""
        try:
            values = self._redis.mget([_cache_key(domain) for domain in domains]) if domains else []
        except RedisError:
            return {}
        found = zip(domains, values, strict=True) if values else ()
        return {domain: _text(value) for domain, value in found if value is not None}

    def put(self, domain: str, site: str, ttl_s: int) -> None:
        """Remember it, or not."""
        try:
            self._redis.set(_cache_key(domain), site, ex=ttl_s)
        except RedisError:
            return


def sites_of(domains: Iterable[str], cache: SiteCache) -> tuple[dict[str, str], list[str]]:
    """The site of every (normalised) domain by tables and cache, and which of them nobody resolved yet; one cache call.

    What is not resolved is its own site for now: the planner does not wait for DNS, it lets `resolve_site` follow.
    """
    sites = {domain: site_of(domain) for domain in domains}
    unknown = [domain for domain, site in sites.items() if _is_own_site(domain, site)]
    remembered = cache.get(unknown)
    return sites | remembered, [domain for domain in unknown if domain not in remembered]


def resolve_site(domain: str, resolver: Resolver, cache: SiteCache, suffixes: Mapping[str, str] = MX_SUFFIXES) -> str:
    """The site by tables, cache or MX record, remembered for as long as DNS allows (an hour to a day).

    A domain without mail, or without an answer, is its own site; that is remembered for an hour, or for five minutes.
    `suffixes` is the table of exchangers with the operator's additions. Raises nothing.
    """
    domain = normalise(domain)
    site = site_of(domain)
    if not _is_own_site(domain, site):
        return site
    remembered = cache.get([domain])
    if domain in remembered:
        return remembered[domain]
    site, ttl_s = _ask(domain, resolver, suffixes)
    cache.put(domain, site, ttl_s)
    return site


class Found(NamedTuple):
    """The site of a domain as DNS tells."""

    site: str


DNS_SECONDS = 3.0


def ask_site(domain: str, suffixes: Mapping[str, str] = MX_SUFFIXES, resolver: Resolver | None = None) -> Found | None:
    """The site by tables or MX record; None where no answer came. Raises nothing."""
    domain = normalise(domain)
    site = site_of(domain)
    if not _is_own_site(domain, site):
        return Found(site)
    try:
        site, ttl_s = _ask(domain, resolver or _resolver(), suffixes)
    except dns.exception.DNSException:  # no resolver is configured
        return None
    return None if ttl_s == NO_ANSWER_S else Found(site)


def _resolver() -> Resolver:
    resolver = Resolver()
    resolver.lifetime = DNS_SECONDS
    return resolver


def site_of_exchangers(
    domain: str, exchangers: Iterable[tuple[int, str]], suffixes: Mapping[str, str] = MX_SUFFIXES
) -> str:
    """The site that these mail exchangers (preference, host; lower is preferred) make of a domain.

    The table decides by the preferred hosts. Exchangers that nobody knows give their common domain as the site, so that
    all customers of a small host still share its limits.
    """
    ordered = sorted((preference, normalise(host)) for preference, host in exchangers)
    preferred = [host for preference, host in ordered if preference == ordered[0][0]]
    for host in preferred:
        site = _by_suffix(host, suffixes)
        if site:
            return site
    if not preferred or preferred[0].endswith("." + domain):
        return domain[-LONGEST_SITE:]
    return (_shared_end([host for _, host in ordered]) or preferred[0])[-LONGEST_SITE:]


def site_of_host(host: str, suffixes: Mapping[str, str] = MX_SUFFIXES) -> str:
    """The site that a mail server belongs to by its name, or an empty text."""
    return _by_suffix(normalise(host), suffixes)


def _is_own_site(domain: str, site: str) -> bool:
    return site == normalise(domain)[-LONGEST_SITE:]


def _ask(domain: str, resolver: Resolver, suffixes: Mapping[str, str]) -> tuple[str, int]:
    """The site by DNS and how many seconds it may be remembered."""
    try:
        answer = resolver.resolve(domain, "MX")
    except (NXDOMAIN, NoAnswer, YXDOMAIN):
        return site_of(domain), NOTHING_THERE_S  # no MX record: its address record takes the mail, or nothing does
    except (LifetimeTimeout, NoNameservers, dns.exception.DNSException):
        return site_of(domain), NO_ANSWER_S
    # A lone "." says that the domain takes no mail (RFC 7505).
    records = [rdata for rdata in answer if isinstance(rdata, MX) and rdata.exchange != dns.name.root]
    exchangers = [(mx.preference, mx.exchange.to_text(omit_final_dot=True)) for mx in records]
    ttl_s = int(answer.rrset.ttl) if answer.rrset else 0
    site = site_of_exchangers(domain, exchangers, suffixes)
    return site, min(max(ttl_s, FOUND_AT_LEAST_S), FOUND_AT_MOST_S)


def _by_suffix(host: str, suffixes: Mapping[str, str]) -> str:
    """The site of the longest known end of a host name, or ""."""
    labels = host.split(".")
    for start in range(len(labels)):
        site = suffixes.get("." + ".".join(labels[start:]))
        if site:
            return site
    return ""


def _shared_end(hosts: list[str]) -> str:
    """The domain that all hosts are in ("hoster.example" of mx1 and mx2 there), or ""."""
    shared: list[str] = []
    for labels in zip(*(reversed(host.split(".")) for host in hosts), strict=False):
        if len(set(labels)) > 1:
            break
        shared.insert(0, labels[0])
    public = len(shared) == 2 and len(shared[1]) == 2 and shared[0] in _PUBLIC_SECOND_LEVEL
    return "" if len(shared) < 2 or public else ".".join(shared)


def _cache_key(domain: str) -> str:
    return f"fanfare:site:{domain}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
