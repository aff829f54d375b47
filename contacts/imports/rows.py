"""One record of a file to what it says about a contact, or why it cannot be kept. Pure.

A row is imported whole or not at all: a contact without the value that could not be read would look complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from contacts.addresses import AddressProblem, normalise_address
from contacts.fields import CONVERTERS, CUSTOM, NO, YES, FieldError, to_moment
from contacts.patches import ContactPatch, split_name

from .records import Record

AGREED, UNKNOWN, WITHDRAWN = 1, 0, -1
SUBSCRIBED_WORDS = YES | {"subscribed", "subscribe", "confirmed", "opted in", "opted-in", "opt-in", "granted", "agreed"}
SUBSCRIBED_WORDS |= {"active", "single_opt_in", "confirmed_opt_in", "已订阅", "订阅", "同意", "接受"}
WITHDRAWN_WORDS = frozenset(
    {"unsubscribed", "unsubscribe", "opted out", "opted-out", "opt-out", "withdrawn", "revoked", "unsub"}
    | {"已退订", "退订", "取消订阅", "已取消订阅"}
)
# Never asked, not answered, or not reachable: none of it subscribes, none of it unsubscribes.
UNKNOWN_WORDS = NO | {"not subscribed", "not_subscribed", "never subscribed", "never_subscribed", "nonsubscribed"}
UNKNOWN_WORDS |= {"non-subscribed", "non_subscribed", "pending", "unconfirmed", "cleaned", "transactional"}
UNKNOWN_WORDS |= {"archived", "inactive", "invalid", "redacted", "unknown", "none", "null", "n/a", "-"}
UNKNOWN_WORDS |= {"未订阅", "不同意", "未确认"}


class ImportRow(NamedTuple):
    """A row that can be kept; `consent` is AGREED, UNKNOWN or WITHDRAWN, `consent_at` None if the row says no time."""

    line: int
    patch: ContactPatch
    consent: int
    consent_at: datetime | None


class RejectedRow(NamedTuple):
    """A row that cannot be kept, and why; `field` is empty if the fault is the whole row's."""

    line: int
    field: str
    reason: str


def read_consent(raw: str) -> int:
    """Consent in the words that exports use; raises FieldError for any other word."""
    word = raw.lower()
    if word in SUBSCRIBED_WORDS:
        return AGREED
    if word in WITHDRAWN_WORDS:
        return WITHDRAWN
    if word in UNKNOWN_WORDS:
        return UNKNOWN
    raise FieldError("It is not understood as consent; write yes, no or unsubscribed.")


Column = tuple[int, str, Callable[[str], Any]]


class _Unreadable(Exception):
    """A cell that its field cannot hold."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class RowReader:
    """Reads records by a mapping of columns to fields; made once per file."""

    def __init__(self, mapping: Mapping[int, str], kinds: Mapping[str, str], *, n_columns: int, attested: bool) -> None:
        self.n_columns = n_columns
        self.email = next(column for column, name in mapping.items() if name == "email")
        self.standard: list[Column] = []
        self.custom: list[Column] = []
        self.special: list[Column] = []
        for column, name in mapping.items():
            key = name.removeprefix("field:")
            if name in CONVERTERS:
                self.standard.append((column, name, CONVERTERS[name]))
            elif name in SPECIAL:
                self.special.append((column, name, SPECIAL[name]))
            elif key in kinds:
                self.custom.append((column, key, CUSTOM[kinds[key]]))
        # A consent column speaks for each row; only without one does the attestation speak for all.
        speaks = any(name == "consent" for _, name, _ in self.special)
        self.default_consent = AGREED if attested and not speaks else UNKNOWN

    def read(self, record: Record) -> ImportRow | RejectedRow:
        """What the record says."""
        line, cells, problem, _ = record
        problem = problem or self._misfit(cells)
        if problem:
            return RejectedRow(line, "", problem)
        if len(cells) < self.n_columns:
            cells = cells + [""] * (self.n_columns - len(cells))
        address = normalise_address(cells[self.email])
        if isinstance(address, AddressProblem):
            return RejectedRow(line, "email", address.reason)
        try:
            values = _convert(self.standard, cells)
            fields = _convert(self.custom, cells)
            special = _convert(self.special, cells)
        except _Unreadable as error:
            return RejectedRow(line, error.field, str(error))
        if "full_name" in special:
            values = special["full_name"] | values
        consent = special.get("consent", self.default_consent)
        return ImportRow(
            line, ContactPatch(address, fields=fields or None, **values), consent, special.get("consent_at")
        )

    def _misfit(self, cells: list[str]) -> str:
        if len(cells) > self.n_columns and any(cell.strip() for cell in cells[self.n_columns :]):
            return f"The row has {len(cells)} cells, but there are {self.n_columns} columns."
        return ""


def _convert(columns: list[Column], cells: list[str]) -> dict[str, Any]:
    """The cells of some columns by field name; empty cells are left out, so that they erase nothing."""
    values: dict[str, Any] = {}
    for column, name, convert in columns:
        if text := cells[column].strip():
            try:
                values[name] = convert(text)
            except FieldError as error:
                raise _Unreadable(name, str(error)) from None
    return values


def _name_parts(text: str) -> dict[str, str]:
    parts = zip(("first_name", "last_name"), split_name(text), strict=True)
    return {name: CONVERTERS[name](part) for name, part in parts if part}


SPECIAL: dict[str, Callable[[str], Any]] = {
    "full_name": _name_parts,
    "consent": read_consent,
    "consent_at": to_moment,
}
