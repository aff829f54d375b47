"""Which records a sending domain needs for a route, and whether they are live: findings in words.

Requirements of Gmail, Yahoo and Microsoft for bulk senders: https://support.google.com/a/answer/81126 (read 2026-10).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import spf
from .dns_lookup import DnsTroubleError, Lookup, reverse_name


class Level(StrEnum):
    """How a finding is meant; UNKNOWN: the domain name system did not answer."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what was looked at, how it stands in a sentence, and what to publish where that helps."""

    topic: str
    level: Level
    words: str
    publish: Record | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """How mail of a domain leaves: the From domain, the return path, the keys, the machines.

    `spf_includes`: what the route's provider wants included. `dkim_public_key`: base64 of our own key's DER form,
    "" where the provider signs; `dkim_record`: the whole record of that key. `own_ips`: addresses that we send from
    directly. `tracking_host`: where links and pixels lead, `public_host`: where this installation answers.
    """

    from_domain: str
    return_path_domain: str = ""
    spf_includes: tuple[str, ...] = ()
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_public_key: str = ""
    dkim_record: str = ""
    tracking_host: str = ""
    public_host: str = ""
    bounce_host: str = ""
    own_ips: tuple[str, ...] = ()


Check = Callable[[Sending, Lookup], Iterator[Finding]]


def check_domain(sending: Sending, lookup: Lookup, topics: Collection[str] = ()) -> list[Finding]:
    """All findings (or those of some topics), in the order of CHECKS; never raises for what a name server does."""
    found: list[Finding] = []
    for topic, check in CHECKS:
        if topics and topic not in topics:
            continue
        try:
            found += check(sending, lookup)
        except DnsTroubleError as error:
            found.append(Finding(topic, Level.UNKNOWN, f"The name server did not answer: {error}."))
    return found


def is_ready(findings: list[Finding]) -> bool:
    """Whether nothing stands in the way of a campaign."""
    return all(finding.level in (Level.OK, Level.WARNING) for finding in findings)


# SPF


def _spf(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """One record at the return path's domain, within ten lookups, that allows the route."""
    domain = sending.return_path_domain or sending.from_domain
    found = spf.records(lookup(domain, "TXT"))
    wanted = _wanted_spf(sending)
    if not found:
        yield Finding("SPF", Level.FAILURE, f"{domain} has no SPF record.", Record(domain, "TXT", wanted))
        return
    if len(found) > 1:
        words = f"{domain} has {len(found)} SPF records; receivers then treat SPF as broken. Keep one."
        yield Finding("SPF", Level.FAILURE, words, Record(domain, "TXT", _with_missing(_joined(found), sending)))
        return
    yield from _spf_contents(domain, found[0], sending, lookup)


def _spf_contents(domain: str, record: str, sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """What the one record says."""
    walked = spf.walk(domain, record, lookup)
    missing = [name for name in sending.spf_includes if name.lower() not in walked.includes]
    outside = [ip for ip in sending.own_ips if not walked.allows(ip)]
    if missing or outside:
        what = ", ".join([f"include:{name}" for name in missing] + outside)
        publish = Record(domain, "TXT", _with_missing(record, sending, (*missing, *outside)))
        yield Finding("SPF", Level.FAILURE, f"The SPF record of {domain} does not allow this route: {what}.", publish)
    if walked.n_lookups > spf.MOST_LOOKUPS:
        words = f"The SPF record of {domain} needs {walked.n_lookups} lookups; receivers stop at {spf.MOST_LOOKUPS}."
        yield Finding("SPF", Level.FAILURE, words)
    for problem in walked.problems:
        yield Finding("SPF", Level.FAILURE, f"In the SPF record of {domain}, {problem}.")
    if walked.ends_with in ("+all", "all"):
        yield Finding(
            "SPF", Level.FAILURE, f"The SPF record of {domain} ends with {walked.ends_with}: it allows everybody."
        )
    if not (missing or outside or walked.problems) and walked.n_lookups <= spf.MOST_LOOKUPS:
        yield Finding("SPF", Level.OK, f"{domain} allows this route, with {walked.n_lookups} of 10 lookups.")


def _terms(names: tuple[str, ...]) -> list[str]:
    """SPF terms for includes and addresses."""
    return [
        f"ip6:{name}" if ":" in name else f"ip4:{name}" if name[-1:].isdigit() else f"include:{name}" for name in names
    ]


def _wanted_spf(sending: Sending) -> str:
    """A record for this route alone."""
    return " ".join(["v=spf1", *_terms((*sending.spf_includes, *sending.own_ips)), "~all"])


def _joined(found: list[str]) -> str:
    """One record with the terms of several; it ends softly, since they may have disagreed."""
    terms = [term for record in sorted(found) for term in record.split()[1:]]
    return " ".join(["v=spf1", *dict.fromkeys(term for term in terms if not term.lower().endswith("all")), "~all"])


def _with_missing(record: str, sending: Sending, missing: tuple[str, ...] | None = None) -> str:
    """The record with what this route needs put in front of its end."""
    terms = _terms(missing if missing is not None else (*sending.spf_includes, *sending.own_ips))
    words = record.split()
    return " ".join([words[0], *[term for term in terms if term not in words], *words[1:]])


# DKIM


def _dkim(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """The selector's record holds our key, or one at all where the provider signs."""
    if not sending.dkim_selector:
        words = "No DKIM selector is known for this route; look whether the provider signs with your domain."
        yield Finding("DKIM", Level.WARNING, words)
        return
    name = f"{sending.dkim_selector}._domainkey.{sending.dkim_domain or sending.from_domain}"
    record = sending.dkim_record or f"v=DKIM1; k=rsa; p={sending.dkim_public_key}"
    publish = Record(name, "TXT", record) if sending.dkim_public_key else None
    found = [tags for tags in map(_tags, lookup(name, "TXT")) if "p" in tags]
    if len(found) != 1:
        words = f"{name} has no DKIM key." if not found else f"{name} has {len(found)} DKIM keys; keep one."
        yield Finding("DKIM", Level.FAILURE, words, publish)
        return
    yield _dkim_key(name, "".join(found[0]["p"].split()), sending.dkim_public_key, publish)


def _dkim_key(name: str, key: str, wanted: str, publish: Record | None) -> Finding:
    """What the published key is worth."""
    if not key:
        return Finding("DKIM", Level.FAILURE, f"The DKIM key at {name} is revoked (p= is empty).", publish)
    if wanted and key != "".join(wanted.split()):
        return Finding("DKIM", Level.FAILURE, f"The DKIM key at {name} is not the one that we sign with.", publish)
    bits = _bits(key)
    if bits == 0:
        return Finding("DKIM", Level.FAILURE, f"The DKIM key at {name} cannot be read.", publish)
    if bits < 1024:
        return Finding("DKIM", Level.FAILURE, f"The DKIM key at {name} has {bits} bits; receivers want 1024 at least.")
    if bits < 2048:
        return Finding("DKIM", Level.WARNING, f"The DKIM key at {name} has {bits} bits; 2048 are advised (RFC 8301).")
    return Finding("DKIM", Level.OK, f"The DKIM key at {name} is live.")


def _bits(key: str) -> int:
    """The size of a public key from its base64; an Ed25519 key (32 bytes, RFC 8463) counts as strong; 0 for none."""
    try:
        raw = base64.b64decode(key, validate=True)
        if len(raw) == 32:
            return 3072
        found = serialization.load_der_public_key(raw)
    except (ValueError, binascii.Error):
        return 0
    return found.key_size if isinstance(found, rsa.RSAPublicKey) else 0


# DMARC


def _dmarc(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """A record at the From domain or above it, and the return path or the signature aligned with From."""
    domain, tags = _policy(sending.from_domain, lookup)
    if not tags:
        publish = Record(
            f"_dmarc.{sending.from_domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{sending.from_domain}"
        )
        words = f"{sending.from_domain} has no DMARC record; Gmail, Yahoo and Microsoft refuse bulk mail without one."
        yield Finding("DMARC", Level.FAILURE, words, publish)
        return
    policy = tags.get("p", "none")
    aligned = _aligned(sending, tags)
    if not aligned:
        words = (
            f"Neither the return path ({sending.return_path_domain or '?'}) nor the signature "
            f"({sending.dkim_domain or '?'}) is aligned with {sending.from_domain}: DMARC fails."
        )
        yield Finding("DMARC", Level.FAILURE, words)
    else:
        yield Finding("DMARC", Level.OK, f"DMARC of {domain} is live (p={policy}); aligned by {' and '.join(aligned)}.")
    if policy == "none":
        yield Finding(
            "DMARC", Level.WARNING, f"{domain} only watches (p=none); quarantine or reject protects its name."
        )


def _policy(domain: str, lookup: Lookup) -> tuple[str, dict[str, str]]:
    """The DMARC record that applies: at the domain, else at the nearest domain above (RFC 7489 section 6.6.3)."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        name = ".".join(labels[start:])
        found = [tags for tags in map(_tags, lookup(f"_dmarc.{name}", "TXT")) if tags.get("v", "").lower() == "dmarc1"]
        if len(found) == 1:
            return name, found[0]
    return domain, {}


def _aligned(sending: Sending, tags: dict[str, str]) -> list[str]:
    """By which of SPF and DKIM the From domain is aligned."""
    return_path = sending.return_path_domain or sending.from_domain
    ways = []
    if is_aligned(sending.from_domain, return_path, strict=tags.get("aspf") == "s"):
        ways.append("SPF")
    signed = sending.dkim_domain or (sending.from_domain if sending.dkim_selector else "")
    if signed and is_aligned(sending.from_domain, signed, strict=tags.get("adkim") == "s"):
        ways.append("DKIM")
    return ways


def is_aligned(left: str, right: str, *, strict: bool) -> bool:
    """Whether two domains are aligned: equal, or (relaxed) of one organisation (RFC 7489 section 3.1)."""
    left, right = left.lower().rstrip("."), right.lower().rstrip(".")
    return left == right or (not strict and organisation(left) == organisation(right))


# Second-level names under which countries register others; the public suffix list has more, rarer ones.
REGISTRIES = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gouv",
        "gov",
        "ltd",
        "me",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
    ]
)


def organisation(domain: str) -> str:
    """The registrable part of a domain: its last two labels, or three under a country's registry such as co.uk."""
    labels = domain.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in REGISTRIES else 2
    return ".".join(labels[-size:])


# MX and PTR


def _mx(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """The return path's domain takes mail, or bounces are lost and some receivers refuse."""
    domain = sending.return_path_domain or sending.from_domain
    hosts = [record.split()[-1].lower() for record in lookup(domain, "MX") if record.split()]
    publish = Record(domain, "MX", f"10 {sending.bounce_host}") if sending.bounce_host else None
    if not hosts:
        yield Finding("MX", Level.FAILURE, f"{domain} has no MX record: bounces cannot come back.", publish)
    elif hosts in ([""], ["."], ["0"]):
        yield Finding("MX", Level.FAILURE, f"{domain} says that it takes no mail (null MX, RFC 7505).", publish)
    elif sending.bounce_host and sending.bounce_host.lower() not in hosts:
        words = f"The MX of {domain} is {', '.join(hosts)}, not {sending.bounce_host}: bounces go elsewhere."
        yield Finding("MX", Level.WARNING, words, publish)
    else:
        yield Finding("MX", Level.OK, f"{domain} takes mail at {', '.join(hosts)}.")


def _ptr(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """Each own IP address has a name that leads back to it (Gmail 5.7.25)."""
    for ip in sending.own_ips:
        names = lookup(reverse_name(ip), "PTR")
        kind = "AAAA" if ":" in ip else "A"
        if not names:
            words = f"{ip} has no PTR record; ask the owner of the address for one."
            yield Finding("PTR", Level.FAILURE, words)
        elif not any(ip in lookup(name, kind) for name in names):
            words = f"The PTR record of {ip} says {', '.join(names)}, which does not lead back to it."
            yield Finding("PTR", Level.FAILURE, words, Record(names[0], kind, ip))
        else:
            yield Finding("PTR", Level.OK, f"{ip} is {names[0]}, and {names[0]} is {ip}.")


def _tracking(sending: Sending, lookup: Lookup) -> Iterator[Finding]:
    """The host of links and pixels leads somewhere, and is of the sender's own domain."""
    host = sending.tracking_host
    if not host:
        return
    publish = Record(host, "CNAME", sending.public_host) if host != sending.public_host else None
    if not any(lookup(host, kind) for kind in ("A", "AAAA")):
        yield Finding("Links", Level.FAILURE, f"{host} leads nowhere: links and unsubscribe pages would fail.", publish)
    elif not is_aligned(host, sending.from_domain, strict=False):
        words = f"Links lead to {host}, which is not of {organisation(sending.from_domain)}; filters prefer one domain."
        yield Finding("Links", Level.WARNING, words)
    else:
        yield Finding("Links", Level.OK, f"Links lead to {host}, which answers in DNS.")


def _tags(text: str) -> dict[str, str]:
    """A list of tag=value pairs (RFC 6376 section 3.2); the first of a repeated tag."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, sign, value = part.partition("=")
        if sign:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


CHECKS: tuple[tuple[str, Check], ...] = (
    ("SPF", _spf),
    ("DKIM", _dkim),
    ("DMARC", _dmarc),
    ("MX", _mx),
    ("PTR", _ptr),
    ("Links", _tracking),
)
