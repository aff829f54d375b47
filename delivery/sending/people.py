"""A person as templates and envelopes see it."""

from __future__ import annotations

from typing import Any

import msgspec

from delivery.sending.lease import Person

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def merge_context(person: Person) -> dict[str, Any]:
    """The `contact` dict of the merge context: custom fields by key, then the standard ones, which win."""
    contact: dict[str, Any] = _decode(person.fields) if person.fields != b"{}" else {}
    contact["email"] = person.email
    contact["first_name"] = person.first_name
    contact["last_name"] = person.last_name
    contact["full_name"] = f"{person.first_name} {person.last_name}".strip()
    contact["phone"] = person.phone
    contact["country"] = person.country
    contact["city"] = person.city
    contact["locale"] = person.locale
    return contact
