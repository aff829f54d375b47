"""What the tables know of a domain's recipient site, and what the site is called. Pure: no DNS, no cache."""

from __future__ import annotations

import re

import dns.exception
import dns.name

from contacts.addresses import readable_domain

from .site_tables import DOMAINS, FAMILIES, LABELS

LONGEST_SITE = 100
_COUNTRY = re.compile(r"com|(?:com?\.)?[a-z]{2}")


def site_of(domain: str) -> str:
    """The site as the tables know it, without DNS; an unknown domain is its own site."""
    domain = normalise(domain)
    if domain in DOMAINS:
        return DOMAINS[domain]
    name, _, rest = domain.partition(".")
    if name in FAMILIES and _COUNTRY.fullmatch(rest):
        return FAMILIES[name]
    return domain[-LONGEST_SITE:]


def provider_label(site: str) -> str:
    """What a report calls the site: the mailbox provider's name, or the site itself, readable."""
    return LABELS.get(site) or readable_domain(site)


def normalise(domain: str) -> str:
    """Lower case, no final dot, IDNA as ASCII (a domain that cannot be encoded stays as it is)."""
    domain = domain.strip().rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return dns.name.from_text(domain, idna_codec=dns.name.IDNA_2008_Practical).to_text(omit_final_dot=True)
    except dns.exception.DNSException:
        return domain
