"""What an SPF record allows, and what it costs to find out (RFC 7208)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from .dns_lookup import Lookup

MOST_LOOKUPS = 10  # RFC 7208 section 4.6.4
DEEPEST = 10
MECHANISM = re.compile(r"^[+?~-]?(?P<name>[a-z0-9]+)(?P<rest>[:/].*)?$", re.IGNORECASE)
LOOKS_UP = ("include", "a", "mx", "ptr", "exists")


@dataclass(slots=True)
class Walk:
    """What was met on the way through a record and all that it includes."""

    n_lookups: int = 0
    includes: set[str] = field(default_factory=set)
    networks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ends_with: str = ""

    def allows(self, address: str) -> bool:
        """Whether one of the networks named by ip4 or ip6 holds this IP address."""
        ip = ipaddress.ip_address(address)
        return any(
            ip in network for network in map(_network, self.networks) if network and network.version == ip.version
        )


def records(texts: list[str]) -> list[str]:
    """The SPF records among TXT records; a domain must have one at most (section 3.2)."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def walk(domain: str, record: str, lookup: Lookup) -> Walk:
    """Follow a record's includes and redirect, counting what a receiver has to look up; raises DnsTroubleError."""
    found = Walk()
    _follow(domain, record, lookup, found, 0)
    return found


def _follow(domain: str, record: str, lookup: Lookup, found: Walk, depth: int) -> None:
    """One record; includes count, and so do a, mx, ptr, exists and redirect."""
    if depth > DEEPEST or found.n_lookups > MOST_LOOKUPS * 2:
        found.problems.append(f"the record of {domain} includes others in a circle or too deep")
        return
    for term in record.split()[1:]:
        name, _, value = term.partition("=")
        if value and name.lower() == "redirect":
            found.n_lookups += 1
            _descend(value, lookup, found, depth)
        elif match := MECHANISM.match(term):
            _mechanism(match, term, lookup, found, depth)


def _mechanism(match: re.Match[str], term: str, lookup: Lookup, found: Walk, depth: int) -> None:
    """One mechanism of a record."""
    name, rest = match["name"].lower(), (match["rest"] or "").removeprefix(":")
    if name in LOOKS_UP:
        found.n_lookups += 1
    if name == "include":
        found.includes.add(rest.lower().rstrip("."))
        _descend(rest, lookup, found, depth)
    elif name in ("ip4", "ip6"):
        found.networks.append(rest)
        if _network(rest) is None:
            found.problems.append(f"{term} is not an address or network")
    elif name == "all" and depth == 0:
        found.ends_with = term.lower()
    elif name not in (*LOOKS_UP, "all"):
        found.problems.append(f"{term} is not a mechanism")


def _descend(domain: str, lookup: Lookup, found: Walk, depth: int) -> None:
    """The record of an included domain; names with macros cannot be followed ahead of a mail."""
    if "%" in domain:
        return
    inner = records(lookup(domain, "TXT"))
    if len(inner) == 1:
        _follow(domain, inner[0], lookup, found, depth + 1)
    else:
        found.problems.append(f"{domain}, which is included, has {len(inner) or 'no'} SPF record{'s' if inner else ''}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
