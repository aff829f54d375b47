"""Addresses as they go over the wire: an ASCII domain, and nothing that a header or a JSON key could not hold."""

from __future__ import annotations

import re

import idna

# RFC 5322 section 3.2.3 (dot-atom, with the letters of RFC 6532) and 3.2.4 (quoted string).
LOCAL = re.compile(r"""[^\s"(),:;<>@\[\]\\\x00-\x1f\x7f]+|"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*\"""")
DOMAIN = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")


def wire_address(address: str) -> str:
    """The address with its domain in ASCII (RFC 5891), so that batch keys and answers agree.

    Raises ValueError, in words, for what is no address.
    """
    local, _, domain = address.strip().rpartition("@")
    if not LOCAL.fullmatch(local):
        raise ValueError(f"{address!r} is not an e-mail address")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"{domain!r} is not a domain: {error}") from error
    if not DOMAIN.fullmatch(domain):
        raise ValueError(f"{address!r} has no domain that mail could go to")
    return f"{local}@{domain}"
