"""Webhook bodies as UTF-8, whatever their sender wrote: a strange letter in a name must not hide an event."""

from __future__ import annotations

import codecs
import re

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def as_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8: as it is where it is that already, else by its charset, else as Windows text.

    Bodies in UTF-16 and UTF-32 are left to the JSON parser, which knows them (RFC 4627 section 3).
    """
    if body.startswith(_MARKS) or b"\x00" in body[:4] or _is_utf8(body):
        return body
    named = _CHARSET.search(content_type)
    for charset in (named.group(1) if named else "", "cp1252"):
        try:
            return body.decode(charset).encode()
        except (LookupError, ValueError):
            continue
    return body.decode("utf-8", "replace").encode()


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
