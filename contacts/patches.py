"""What an import row, an API row or a store's customer says about a contact, checked and typed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .addresses import Address
from .fields import CONVERTERS, FieldError


class ContactPatch(NamedTuple):
    """What is to be kept of a contact: None keeps what is there, an empty text clears it.

    `fields` holds only the custom fields that were spoken of; a None in it clears that field.
    """

    address: Address
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    country: str | None = None
    city: str | None = None
    locale: str | None = None
    timezone: str | None = None
    fields: Mapping[str, Any] | None = None


class FieldProblem(NamedTuple):
    """Why a row cannot be kept: which field, and the reason in words."""

    field: str
    reason: str


def convert_standard(values: Mapping[str, str | None]) -> dict[str, str] | FieldProblem:
    """Standard fields by name as they are kept; None and blank text become the empty text, which clears."""
    kept: dict[str, str] = {}
    for name, value in values.items():
        text = (value or "").strip()
        try:
            kept[name] = CONVERTERS[name](text) if text else ""
        except FieldError as error:
            return FieldProblem(name, str(error))
    return kept


def split_name(full_name: str) -> tuple[str, str]:
    """First and last name of a full one: cut at the last space; a name without one (王小明) is all first name."""
    first, _, last = full_name.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, "")
