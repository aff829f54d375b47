"""What a contact's fields may hold: standard fields with their limits, and typed custom fields. Pure.

Each converter takes the text of a cell (trimmed, not empty) and returns the value to keep, or raises FieldError with
the reason in words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from .countries import country_code

KEY_PATTERN = r"^[a-z][a-z0-9_]{0,49}$"
LIMITS = {
    "first_name": 150,
    "last_name": 150,
    "phone": 40,
    "city": 150,
    "locale": 16,
    "timezone": 64,
}
MAX_TEXT = 5_000
MAX_LIST = 100
STANDARD = ("first_name", "last_name", "phone", "country", "city", "locale", "timezone")
# Names that templates, imports and the API already give a meaning.
RESERVED_KEYS = frozenset(
    {"email", "address", "full_name", "fields", "id", "uuid", "external_id", "lists", "consent", "consent_at"}
    | {"brand", "campaign", "contact", "created_at", "updated_at", *STANDARD}
)
YES = frozenset({"yes", "y", "true", "t", "1", "on", "x", "ja", "oui", "si", "sí", "是", "有", "对", "真"})
NO = frozenset({"no", "n", "false", "f", "0", "off", "nein", "non", "否", "无", "不", "假"})
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d{1,2}")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


class FieldError(ValueError):
    """A value that its field cannot hold; the message says why."""


def _text(name: str) -> Callable[[str], str]:
    limit = LIMITS[name]

    def convert(raw: str) -> str:
        text = " ".join(raw.split())  # a line break in a name would otherwise reach mail headers
        if len(text) > limit:
            raise FieldError(f"It is longer than {limit} characters.")
        return text

    return convert


def _phone(raw: str) -> str:
    # Shopify's export writes '+49… with a leading apostrophe, so that spreadsheets keep the plus.
    return _text("phone")(raw.lstrip("'").strip())


def _country(raw: str) -> str:
    code = country_code(raw)
    if code is None:
        raise FieldError("No country of that name or code (ISO 3166-1) is known.")
    return code


def _locale(raw: str) -> str:
    if not _LOCALE.fullmatch(raw):
        raise FieldError("A locale looks like en, en-US or zh-Hans.")
    return _text("locale")(raw.replace("_", "-"))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(raw: str) -> str:
    if raw not in _zones():
        raise FieldError("A time zone looks like Europe/Berlin.")
    return raw


CONVERTERS: dict[str, Callable[[str], str]] = {
    "first_name": _text("first_name"),
    "last_name": _text("last_name"),
    "phone": _phone,
    "country": _country,
    "city": _text("city"),
    "locale": _locale,
    "timezone": _timezone,
}


def to_number(raw: str) -> int | float:
    """A number as written in a spreadsheet: 12, 12.5, 1,234.5 or 12,5."""
    if _THOUSANDS.fullmatch(raw):
        raw = raw.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(raw):
        raw = raw.replace(",", ".")
    try:
        number = float(raw)
    except ValueError:
        raise FieldError("It is not a number.") from None
    if not math.isfinite(number) or abs(number) > 1e15:
        raise FieldError("It is not a number that can be kept.")
    return int(number) if number.is_integer() else number


def to_date(raw: str) -> str:
    """An ISO date. 03/04/2026 is refused: half the world reads it as March, half as April."""
    match = _DATE.fullmatch(raw)
    parts = match.groups() if match else None
    if parts is None:
        match = _GERMAN_DATE.fullmatch(raw)
        parts = match.groups()[::-1] if match else None
    try:
        if parts is None:
            raise ValueError(raw)
        return date(int(parts[0]), int(parts[1]), int(parts[2])).isoformat()
    except ValueError:
        raise FieldError("It is not a date; write dates as 2026-01-31.") from None


def to_boolean(raw: str) -> bool:
    """Yes or no in the words that exports use."""
    word = raw.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise FieldError("It is neither yes nor no.")


def to_list(raw: str) -> list[str]:
    """The distinct parts of a text separated by comma, semicolon or bar, in their order."""
    parts = list(dict.fromkeys(part.strip() for part in re.split(r"[,;|，；]", raw) if part.strip()))
    if len(parts) > MAX_LIST:
        raise FieldError(f"It has more than {MAX_LIST} parts.")
    return parts


def to_text(raw: str) -> str:
    """The text itself, up to 5,000 characters."""
    if len(raw) > MAX_TEXT:
        raise FieldError(f"It is longer than {MAX_TEXT} characters.")
    return raw


CUSTOM: dict[str, Callable[[str], Any]] = {
    "text": to_text,
    "number": to_number,
    "date": to_date,
    "boolean": to_boolean,
    "list": to_list,
}


def convert_custom(kind: str, value: Any) -> Any:
    """A JSON value as the custom field of that kind keeps it; None stays None and clears the field."""
    match kind, value:
        case _, None:
            return None
        case _, str():
            text = value.strip()
            return CUSTOM[kind](text) if text else None
        case "boolean", bool():
            return value
        case "number", int() | float() if not isinstance(value, bool):
            return to_number(repr(value))
        case "text", int() | float() | bool():
            return to_text(str(value))
        case "list", list():
            return _list_of_texts(value)
    raise FieldError(f"A {kind} field cannot hold this value.")


def _list_of_texts(value: list[Any]) -> list[str]:
    if len(value) > MAX_LIST:
        raise FieldError(f"It has more than {MAX_LIST} parts.")
    if not all(isinstance(part, str | int | float) for part in value):
        raise FieldError("A list holds texts or numbers.")
    return list(dict.fromkeys(to_text(str(part)) for part in value))


def to_moment(raw: str) -> datetime:
    """A time with its date, aware; without a zone it is UTC (Mailchimp's OPTIN_TIME is UTC)."""
    try:
        moment = datetime.fromisoformat(raw.strip().replace("/", "-").removesuffix(" UTC"))
    except ValueError:
        raise FieldError("It is not a time; write times as 2026-01-31 14:05:00.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
