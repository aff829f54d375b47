"""Asking the domain name system, through a resolver that the caller brings."""

from __future__ import annotations

import ipaddress
from typing import Protocol

import dns.exception
import dns.resolver
import dns.reversename


class DnsTroubleError(Exception):
    """The question got no answer: a timeout or a broken server. The record may well exist."""


class Lookup(Protocol):
    """Answers to one question as text; an empty list when there are none."""

    def __call__(self, name: str, kind: str) -> list[str]:
        """`kind` is a record type such as "TXT"; raises DnsTroubleError."""
        ...


def through(resolver: dns.resolver.Resolver) -> Lookup:
    """A lookup through dnspython; each question is asked once."""
    known: dict[tuple[str, str], list[str]] = {}

    def lookup(name: str, kind: str) -> list[str]:
        key = (name.lower().rstrip("."), kind)
        if key not in known:
            known[key] = _ask(resolver, *key)
        return known[key]

    return lookup


def _ask(resolver: dns.resolver.Resolver, name: str, kind: str) -> list[str]:
    """The records as text: the strings of a TXT record joined (RFC 7208 section 3.3), names without a final dot."""
    try:
        answer = resolver.resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, ValueError) as error:
        raise DnsTroubleError(f"{name} {kind}: {error}") from error
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return [record.to_text().rstrip(".") for record in answer]


def reverse_name(address: str) -> str:
    """The name whose PTR record tells the host of an IP address (RFC 1035 section 3.5); ValueError for no address."""
    return dns.reversename.from_address(str(ipaddress.ip_address(address))).to_text(omit_final_dot=True)
