"""What a brand's sending domain needs in the domain name system, and what is live of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

import dns.resolver
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from contacts.models import Brand
from delivery.models import DkimKey, DomainCheck, ProviderAccount, SourceAddress
from delivery.providers import PROVIDERS
from delivery.providers.dns_check import Finding, Level, Record, Sending, check_domain
from delivery.providers.dns_lookup import DnsTroubleError, Lookup, through
from delivery.providers.https_check import Visit
from delivery.providers.presets import SMTP_PRESETS
from delivery.rendering.headers import ascii_domain

# One question, and one whole check: a page that waits longer is taken for broken.
LINKS = "Links, pixels, unsubscribe pages"
NO_SOURCE = (
    "Which address mail of {names} leaves from is not known here, so its PTR record and SPF's word on it were not"
    " looked at. If the server is your own, enter its public address under the account's source addresses; if it is a"
    " provider's, the provider sees to both."
)
ASK_SECONDS = 2.0
GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A finding as it is stored and shown; `used_by` names what needs the record."""

    topic: str
    level: str
    words: str
    name: str = ""
    kind: str = ""
    value: str = ""
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class DomainNeeds:
    """Everything about a brand's sending that the domain name system must know of."""

    base: Sending
    keys: tuple[DkimKey, ...]
    relays: tuple[str, ...]
    api_includes: tuple[tuple[str, str], ...]
    """(account, SPF include) of provider APIs, whose return path is their own or below the From domain."""
    tracking_origin: str = ""
    unknown_sources: tuple[str, ...] = ()
    """SMTP accounts at servers that may be the operator's own, and whose public addresses nobody entered."""


def system_lookup() -> Lookup:
    """The name servers of DNS_SERVERS, else the system's; after three questions without an answer no more are asked."""
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    if settings.DNS_SERVERS:
        address, _, port = settings.DNS_SERVERS[0].rpartition(":") if ":" in settings.DNS_SERVERS[0] else ("", "", "")
        resolver.nameservers = [address or settings.DNS_SERVERS[0]]
        resolver.port = int(port or 53)
    resolver.timeout = resolver.lifetime = ASK_SECONDS
    return _giving_up(through(resolver))


def _giving_up(lookup: Lookup) -> Lookup:
    n_troubles = 0

    def ask(name: str, kind: str) -> list[str]:
        nonlocal n_troubles
        if n_troubles >= GIVE_UP_AFTER:
            raise DnsTroubleError(f"{name} {kind} was not asked for: the name server had not answered before")
        try:
            return lookup(name, kind)
        except DnsTroubleError:
            n_troubles += 1
            raise

    return ask


def needs_of(brand: Brand) -> DomainNeeds:
    """What the brand's routes, keys and addresses ask for."""
    accounts = _accounts_of(brand)
    relays = [account for account in accounts if account.kind == "smtp"]
    origin = brand.tracking_origin or settings.PUBLIC_ORIGIN
    base = Sending(
        from_domain=ascii_domain(brand.sending_domain).lower(),
        return_path_domain=ascii_domain(brand.bounce_domain).lower(),
        spf_includes=tuple(dict.fromkeys(filter(None, map(_include_of, relays)))),
        own_ips=_own_ips(relays),
        tracking_host=urlsplit(origin).hostname or "",
        public_host=urlsplit(settings.PUBLIC_ORIGIN).hostname or "",
    )
    apis = [account for account in accounts if account.kind != "smtp"]
    includes = [(account.name, _include_of(account)) for account in apis]
    return DomainNeeds(
        base,
        tuple(keys_of(brand).exclude(state=DkimKey.State.RETIRED)),
        tuple(account.name for account in relays),
        tuple((name, include) for name, include in includes if include),
        ascii_origin(origin),
        tuple(account.name for account in relays if not _include_of(account) and not _own_ips([account])),
    )


def ascii_origin(origin: str) -> str:
    """An origin with its host as A-labels, as TLS wants it."""
    host = urlsplit(origin).hostname or ""
    return origin if host.isascii() else origin.replace(host, ascii_domain(host), 1)


def keys_of(brand: Brand) -> QuerySet[DkimKey]:
    """The keys of the brand's domain and of the domains above it."""
    labels = ascii_domain(brand.sending_domain).lower().split(".")
    names = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
    return DkimKey.objects.filter(domain__in=names).defer("secrets")


def _accounts_of(brand: Brand) -> list[ProviderAccount]:
    routed = Q(routes__brand=None, routes__isnull=False) | Q(routes__brand=brand)
    return list(ProviderAccount.objects.filter(routed, enabled=True).distinct().defer("secrets"))


def _include_of(account: ProviderAccount) -> str:
    if account.kind in PROVIDERS:
        return PROVIDERS[account.kind].spf_include
    host = str(account.options.get("host", "")).lower()
    known = (p for p in SMTP_PRESETS.values() if host == p.host or host in p.regions.values())
    return next((preset.spf_include for preset in known), "")


def _own_ips(relays: list[ProviderAccount]) -> tuple[str, ...]:
    """The public addresses that mail leaves from directly."""
    sources = SourceAddress.objects.filter(account__in=relays, enabled=True).order_by("pk")
    return tuple(dict.fromkeys(s.address for s in sources if ipaddress.ip_address(s.address).is_global))


def inspect_domain(needs: DomainNeeds, lookup: Lookup, visit: Visit | None = None) -> list[DomainRow]:
    """All rows; network only, no database. The tracking host is visited while name servers are asked."""
    with ThreadPoolExecutor(1, "https") as aside:
        answer = aside.submit(visit, needs.tracking_origin) if visit and needs.tracking_origin else None
        rows = list(_rows(needs, lookup))
        return rows if answer is None else [*rows, *_shown([answer.result()], LINKS)]


def wanted_records(needs: DomainNeeds) -> list[DomainRow]:
    """The same before anybody looked: what to publish, each as not checked."""
    rows = inspect_domain(needs, lambda _name, _kind: [])
    return [replace(row, level=Level.UNKNOWN, words="Not checked yet.") for row in rows if row.value]


def _rows(needs: DomainNeeds, lookup: Lookup) -> Iterator[DomainRow]:
    base = needs.base
    if needs.relays:
        yield from _shown(check_domain(base, lookup, {"SPF"}), ", ".join(needs.relays))
    for name, include in needs.api_includes:
        own = replace(base, return_path_domain="", spf_includes=(include,), own_ips=())
        yield from _shown(check_domain(own, lookup, {"SPF"}), name)
    yield from _key_rows(needs, lookup)
    signing = next((key.domain for key in needs.keys if key.state == DkimKey.State.ACTIVE), "")
    yield from _shown(check_domain(replace(base, dkim_domain=signing), lookup, {"DMARC"}), "Every receiver")
    yield from map(_with_bounce_host(base), _shown(check_domain(base, lookup, {"MX"}), "Bounces"))
    yield from _shown(check_domain(base, lookup, {"PTR"}), ", ".join(needs.relays))
    if needs.unknown_sources:
        names = ", ".join(needs.unknown_sources)
        yield DomainRow("PTR", Level.WARNING, NO_SOURCE.format(names=names), used_by=names)
    yield from _shown(check_domain(base, lookup, {"Links"}), LINKS)


def _key_rows(needs: DomainNeeds, lookup: Lookup) -> Iterator[DomainRow]:
    if not needs.keys:
        words = f"Fanfare does not sign mail of {needs.base.from_domain}. Make a key below, unless your provider signs."
        yield DomainRow("DKIM", Level.WARNING, words)
    for key in needs.keys:
        public = key.record.partition("p=")[2]
        own = replace(
            needs.base,
            dkim_domain=key.domain,
            dkim_selector=key.selector,
            dkim_public_key=public,
            dkim_record=key.record,
        )
        rows = _shown(check_domain(own, lookup, {"DKIM"}), key.get_state_display())
        # Not only where it fails: the record of a key is wanted again whenever a zone moves.
        for row in rows:
            stored = replace(row, name=key.name, kind="TXT", value=key.record)
            yield _waiting(stored) if key.state == DkimKey.State.WAITING else stored


def _waiting(row: DomainRow) -> DomainRow:
    """A key that signs nothing yet does no harm while its record is missing."""
    if row.level != Level.FAILURE:
        return row
    return replace(row, level=Level.WARNING, words=f"{row.words} It signs nothing yet: publish it, then switch to it.")


def _with_bounce_host(base: Sending) -> Callable[[DomainRow], DomainRow]:
    def with_host(row: DomainRow) -> DomainRow:
        if row.level != Level.FAILURE or row.value or not base.public_host:
            return row
        return replace(row, name=base.return_path_domain, kind="MX", value=f"10 {base.public_host}")

    return with_host


def _shown(findings: list[Finding], used_by: str) -> Iterator[DomainRow]:
    for found in findings:
        record = found.publish or Record("", "", "")
        yield DomainRow(found.topic, found.level.value, found.words, record.name, record.kind, record.value, used_by)


def check_brand_domain(brand: Brand, lookup: Lookup, *, now: datetime, visit: Visit | None) -> DomainCheck:
    """DNS and the tracking host are asked (outside any transaction), and what they said is stored with the time.

    Keys seen live are marked.
    """
    needs = needs_of(brand)
    rows = inspect_domain(needs, lookup, visit)
    return _store(brand, needs, rows, now)


@transaction.atomic
def _store(brand: Brand, needs: DomainNeeds, rows: list[DomainRow], now: datetime) -> DomainCheck:
    levels = {row.name: row.level for row in rows if row.topic == "DKIM"}
    for key in needs.keys:
        if levels[key.name] != Level.UNKNOWN:
            live_at = now if levels[key.name] == Level.OK else None
            DkimKey.objects.filter(pk=key.pk).update(live_at=live_at)
    stored = {"checked_at": now, "findings": [asdict(row) for row in rows]}
    return DomainCheck.objects.update_or_create(brand=brand, defaults=stored)[0]
