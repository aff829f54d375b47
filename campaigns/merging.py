"""Merge fields as marketers pick them, and the values a preview fills them with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts.models import Brand, Contact, ContactField

# Fields of every contact: key, label, and what the made-up contact of previews has there.
BASE_FIELDS = (
    ("first_name", "First name", "Robin"),
    ("last_name", "Last name", "Example"),
    ("full_name", "Full name", "Robin Example"),
    ("email", "E-mail address", "robin@example.com"),
    ("phone", "Phone", "+1 555 0100"),
    ("country", "Country", "US"),
    ("city", "City", "Springfield"),
    ("locale", "Language", "en"),
)
SAMPLES: dict[str, Any] = {
    ContactField.Kind.NUMBER: 3,
    ContactField.Kind.DATE: "2026-03-14",
    ContactField.Kind.BOOLEAN: True,
    ContactField.Kind.LIST: ["first", "second"],
}


@dataclass(frozen=True, slots=True)
class MergeField:
    """One entry of the field picker: `code` is what goes into the source."""

    group: str
    label: str
    code: str


def field_choices() -> list[MergeField]:
    """Return what can be inserted, by group, custom fields of the contacts included."""
    contact = [(key, label) for key, label, _ in BASE_FIELDS]
    custom = list(ContactField.objects.values_list("key", "label"))
    return [
        *(MergeField("Contact", label, f"{{{{ contact.{key} }}}}") for key, label in [*contact, *custom]),
        MergeField("Contact", "First name, or “there”", '{{ contact.first_name | default: "there" }}'),
        MergeField("Brand", "Brand name", "{{ brand.name }}"),
        MergeField("Brand", "Postal address", "{{ brand.postal_address }}"),
        MergeField("Brand", "Website", "{{ brand.website }}"),
        MergeField("Links", "Unsubscribe link", "{{ unsubscribe_url }}"),
        MergeField("Links", "Preferences link", "{{ preferences_url }}"),
    ]


def known_fields() -> frozenset[str]:
    """Return the dotted names of the contact fields that a template may use."""
    keys = [*(key for key, _, _ in BASE_FIELDS), *ContactField.objects.values_list("key", flat=True)]
    return frozenset(f"contact.{key}" for key in keys)


def contact_values(contact: Contact) -> dict[str, Any]:
    """Return a contact as templates see it: plain values, custom fields beside the base fields."""
    absent = dict.fromkeys(ContactField.objects.values_list("key", flat=True))
    base = {key: getattr(contact, key) for key, _, _ in BASE_FIELDS}
    return {**absent, **contact.fields, **base}


def sample_values() -> dict[str, Any]:
    """Return a made-up contact that has something in every field."""
    custom = {field.key: SAMPLES.get(field.kind, field.label) for field in ContactField.objects.all()}
    return {**custom, **{key: value for key, _, value in BASE_FIELDS}}


def preview_context(
    brand: Brand, *, contact: Contact | None, campaign_name: str, subject: str, now: datetime
) -> dict[str, Any]:
    """Return everything a message knows, for one reader (None: a made-up one); links lead nowhere."""
    return {
        "now": now,
        "contact": contact_values(contact) if contact else sample_values(),
        "brand": {"name": brand.name, "postal_address": brand.postal_address, "website": brand.website},
        "campaign": {"name": campaign_name, "subject": subject},
        "unsubscribe_url": "#unsubscribe",
        "preferences_url": "#preferences",
    }
