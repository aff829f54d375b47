"""Normalising e-mail addresses: what makes two spellings the same person. Pure.

Decided in docs/adr/0010-one-contact-per-case-insensitive-address.md: the whole address is compared in lower case
(RFC 5321 section 2.4 lets a host tell local parts apart by case; no large mailbox provider does), while tags (`+x`)
and dots are kept, because outside Gmail they are somebody else's mailbox.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import NamedTuple
from uuid import UUID

import idna

MAX_LOCAL = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_ADDRESS = 254  # octets, RFC 3696 erratum 1690
_ATEXT = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Nine of ten addresses are lower-case ASCII in form already; they pass this one match.
_PLAIN = re.compile(rf"({_ATEXT}+(?:\.{_ATEXT}+)*)@((?:{_LABEL}\.)+(?!\d+\Z){_LABEL})", re.ASCII)
_LOCAL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
)
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}", re.ASCII)
# What spreadsheets and web pages leave around an address: spaces of all kinds, BOM, zero-width and direction marks.
_AROUND = " \t\r\n\f\v\u00a0\u3000\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"

# Chinese and Japanese input methods write ASCII in full width: U+FF41 U+FF20 for "a@".
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}


class Address(NamedTuple):
    """A usable address: as written, normalised, the domain as A-labels, and the key that stands for the person."""

    email: str
    address: str
    domain: str
    key: UUID


class AddressProblem(NamedTuple):
    """Why a text is not a usable address, in words."""

    reason: str


def address_key(address: str) -> UUID:
    """The first 128 bits of SHA-256 over a normalised address: names the person without saying the address."""
    return UUID(bytes=hashlib.sha256(address.encode()).digest()[:16])


def normalise_address(raw: str) -> Address | AddressProblem:
    """The address in `raw`, which may carry a display name (`Alice <alice@example.com>`), or what is wrong with it."""
    email = _bare(raw)
    lowered = email.lower()
    # isascii() on the original: str.lower() turns the Kelvin sign U+212A into an ASCII k.
    plain = _PLAIN.fullmatch(lowered) if email.isascii() and "xn--" not in lowered else None
    if plain is None:
        return _normalise_unusual(email)
    if len(plain[1]) > MAX_LOCAL or len(lowered) > MAX_ADDRESS:
        return _too_long(plain[1])
    return Address(email, lowered, plain[2], address_key(lowered))


def _bare(raw: str) -> str:
    email = raw.strip(_AROUND)
    if email.endswith(">") and "<" in email:
        email = email[email.rindex("<") + 1 : -1].strip(_AROUND)
    if email[:7].lower() == "mailto:":
        email = email[7:]
    return email


def _normalise_unusual(email: str) -> Address | AddressProblem:
    """Anything beyond plain ASCII, and every refusal."""
    email = unicodedata.normalize("NFC", email).translate(_FULL_WIDTH)
    local, at, domain = email.rpartition("@")
    if not email:
        return AddressProblem("The address is empty.")
    if not at or not local or not domain:
        return AddressProblem("An address has the form name@example.com.")
    lowered = unicodedata.normalize("NFC", local.lower())
    problem = _local_problem(lowered)
    if problem is not None:
        return problem
    ascii_domain = _to_ascii(domain)
    if isinstance(ascii_domain, AddressProblem):
        return ascii_domain
    address = f"{lowered}@{ascii_domain}"
    if len(lowered.encode()) > MAX_LOCAL or len(address.encode()) > MAX_ADDRESS:
        return _too_long(lowered)
    return Address(email, address, ascii_domain, address_key(address))


def _local_problem(local: str) -> AddressProblem | None:
    if local.startswith('"'):
        return AddressProblem("Quoted names before the @ are not accepted.")
    if "@" in local:
        return AddressProblem("There is more than one @ in the address.")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return AddressProblem("A dot may not begin or end the part before the @, nor stand twice in a row.")
    if not _LOCAL.fullmatch(local) or any(unicodedata.category(letter)[0] in "CZ" for letter in local):
        return AddressProblem("The part before the @ holds a character that addresses cannot have.")
    return None


def _to_ascii(domain: str) -> str | AddressProblem:
    """The domain as lower-case A-labels (UTS #46, RFC 5891)."""
    if domain.startswith("["):
        return AddressProblem("An IP address in place of a domain is not accepted.")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        ascii_domain = domain.lower()
    if _DOMAIN.fullmatch(ascii_domain):
        return ascii_domain
    if "." not in domain:
        return AddressProblem("The domain has no dot.")
    return AddressProblem("The part after the @ is not a domain name.")


def readable_domain(domain: str) -> str:
    """A domain as its owner writes it: A-labels as Unicode; what is no valid IDNA stays as it is."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def _too_long(local: str) -> AddressProblem:
    if len(local.encode()) > MAX_LOCAL:
        return AddressProblem(f"The part before the @ is longer than {MAX_LOCAL} bytes.")
    return AddressProblem(f"The address is longer than {MAX_ADDRESS} bytes.")
