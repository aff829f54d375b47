"""Addresses in mail: which may be linked, which can be tracked, and their safe spelling."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

MAX_URL = 2_000

_LINE_MARKS = re.compile(r"[\t\r\n]+")  # browsers drop them from addresses (url.spec.whatwg.org)
_WEB = re.compile(r"https?://[^/\s]", re.IGNORECASE).match
_OTHER_ALLOWED = re.compile(r"(mailto|tel|sms|whatsapp):|#", re.IGNORECASE).match
_CLEAN = re.compile(r"[!#-;=?-Z_a-z~\[\]]+", re.ASCII).fullmatch
# RFC 3986 reserved and unreserved characters, and the percent sign of what is encoded already.
_KEPT = ":/?#[]@!$&'()*+,;=-._~%"


_REFERENCE = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")


def unescaped(attribute: str) -> str:
    """An attribute's value as a browser reads it: `?a=1&copy=2` has no copyright sign, for lack of a semicolon."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), attribute)


def usable_url(address: str) -> tuple[str, bool]:
    """The address as it may stand in a message, and whether a click on it can be tracked.

    Spaces and non-ASCII characters are percent-encoded. Anything but http, https, mailto, tel, sms, whatsapp or a
    fragment becomes "#": a contact's data must not turn a link into javascript: or data:.
    """
    stripped = _LINE_MARKS.sub("", address).strip()
    if _WEB(stripped):
        url = stripped if _CLEAN(stripped) else quote(stripped, safe=_KEPT)
        return url, len(url) <= MAX_URL
    return (stripped if _OTHER_ALLOWED(stripped) else "#"), False
