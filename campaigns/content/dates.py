"""The `date` filter: reads what stores and imports write, and never the clock.

The words "now" and "today" stand for the context's `now`, so that preview, send and tests agree on what day it is.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from liquid import Markup, RenderContext
from liquid.undefined import is_undefined

_NOW = frozenset({"now", "today"})
_MAX_FORMAT = 100
# Beside ISO 8601, which Python 3.11 reads whole: RFC 5322, Shopify's API, Ruby's to_s, and three ways to write a day.
_FORMATS = (
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%Y/%m/%d",
    "%d %B %Y",
    "%B %d, %Y",
)


def date(value: Any, fmt: Any = "%Y-%m-%d", *, context: RenderContext) -> object:
    """`{{ contact.birthday | date: "%-d %B" }}`: formats a date, an ISO 8601 text or seconds since 1970 (UTC).

    What is no date comes back unchanged, as in Shopify's Liquid. Raises ValueError for a format of over 100 characters.
    """
    if value is None or is_undefined(value):
        return ""
    moment = context.resolve("now") if value in _NOW else value
    if is_undefined(moment):
        return ""
    read = _read(moment)
    if read is None or is_undefined(fmt):
        return value
    if len(str(fmt)) > _MAX_FORMAT:
        raise ValueError("the date format is longer than 100 characters")
    formatted = read.strftime(str(fmt))
    return Markup(formatted) if isinstance(fmt, Markup) else formatted


def _read(value: object) -> dt.datetime | None:
    match value:
        case dt.datetime():
            return value
        case dt.date():
            return dt.datetime.combine(value, dt.time.min)
        case int() | float():
            return _from_seconds(value)
        case str():
            return _from_text(str(value).strip())
        case _:
            return None


@lru_cache(maxsize=4096)
def _from_text(text: str) -> dt.datetime | None:
    if text.isdecimal() and len(text) in {9, 10}:
        return _from_seconds(int(text))
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return _from_other_formats(text)


def _from_other_formats(text: str) -> dt.datetime | None:
    for known in _FORMATS:
        try:
            return dt.datetime.strptime(text, known)  # noqa: DTZ007 a day written without a zone has none
        except ValueError:
            continue
    return None


def _from_seconds(seconds: float) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
