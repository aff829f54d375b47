"""Finds mail addresses, return-path tokens and message ids in headers and prose."""

from __future__ import annotations

import re
from collections.abc import Iterable

# RFC 5321 limits: 64 octets before the "@", 255 after. UTF-8 local parts (RFC 6531) are allowed.
_LOCAL = r"(?:[^\s<>()\[\]{}|\\,;:\"'@\x00-\x1f][^\s<>()\[\],;:\"@\x00-\x1f]{0,63}|\"[^\"\n]{1,62}\")"
ADDRESS = re.compile(_LOCAL + r"@[^\s<>()\[\],;:\"'@/!?\x00-\x2c]{1,255}")
_MAX_ADDRESS = 320  # lower-casing can lengthen a domain: "İ" becomes two characters
_TOKEN = re.compile(r"(?<![\w.+-])([bu])\+([0-9a-f]{32})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<([^<>\s]{3,250})>")
_MESSAGE_TOKEN = re.compile(r"<?([0-9a-f]{32})@[^<>\s]{1,255}>?", re.IGNORECASE)


def tidy(address: str) -> str:
    """The address without brackets, source route and stray dots, its domain in lower case; "" when it is none."""
    bare = address.strip().strip("<>").removesuffix(".").strip("'")
    if bare.startswith("@") and ":" in bare:
        bare = bare.rpartition(":")[2]
    local, at, domain = re.sub(r"^(?:smtp|mailto)[=:]", "", bare, flags=re.IGNORECASE).rpartition("@")
    tidied = f"{local}@{domain.lower().rstrip('.-_=')}"
    return tidied if at and local and len(tidied) <= _MAX_ADDRESS else ""


def addresses_in(text: str) -> list[str]:
    """All addresses in order of appearance, each once."""
    found = (tidy(match.group()) for match in ADDRESS.finditer(text))
    return list(dict.fromkeys(address for address in found if address))


def recipient_field(value: str) -> str:
    """The address out of `rfc822; user@example.org` (RFC 3464 section 2.3.1) or a bare address; "" when redacted."""
    kind, semicolon, rest = value.partition(";")
    found = addresses_in(rest if semicolon and "@" not in kind else value)
    return found[-1] if found else ""


def token_in(values: Iterable[str], marker: str = "b") -> str:
    """The 32 hex digits of the first `b+HEX@` (or `u+HEX@`) in these texts, lower-cased, or ""."""
    for value in values:
        for match in _TOKEN.finditer(value):
            if match.group(1).lower() == marker:
                return match.group(2).lower()
    return ""


def message_id_in(value: str) -> str:
    """The first Message-ID in a header value, without angle brackets, or ""."""
    match = _MESSAGE_ID.search(value)
    return match.group(1) if match else value.strip("<> ")[:250].partition(" ")[0]


def message_token(message_id: str) -> str:
    """The token of a Message-ID that has the form of ours (`HEX@domain`), else ""."""
    match = _MESSAGE_TOKEN.fullmatch(message_id.strip())
    return match.group(1).lower() if match else ""
