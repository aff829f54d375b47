"""The form of a contact's page: standard fields, and one input per custom field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from contacts.addresses import Address, AddressProblem, normalise_address
from contacts.fields import CONVERTERS, LIMITS, RESERVED_KEYS, STANDARD, FieldError, convert_custom
from contacts.models import Contact, ContactField, MailingList

LABELS = {"locale": "Language", "timezone": "Time zone"}
HELP = {
    "country": "A name or a code, such as Germany or DE.",
    "locale": "Such as en or zh-Hans.",
    "timezone": "Such as Europe/Berlin.",
}


class ContactForm(forms.Form):
    """A contact's address and fields."""

    email = forms.CharField(max_length=320, label="Email address", widget=forms.EmailInput)

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds: dict[str, str] = {}
        if contact is not None:
            self.initial.update({name: getattr(contact, name) for name in ("email", *STANDARD)})
        for name in STANDARD:
            label = LABELS.get(name, name.replace("_", " ").capitalize())
            self.fields[name] = forms.CharField(
                required=False, max_length=LIMITS.get(name, 100), label=label, help_text=HELP.get(name, "")
            )
        for field in ContactField.objects.all():
            self.kinds[field.key] = field.kind
            self.fields[f"field_{field.key}"] = _custom_input(field)
            if contact is not None:
                self.initial[f"field_{field.key}"] = _shown(contact.fields.get(field.key))

    def clean_email(self) -> Address:
        """The normalised address."""
        address = normalise_address(self.cleaned_data["email"])
        if isinstance(address, AddressProblem):
            raise ValidationError(address.reason)
        return address

    def clean(self) -> dict[str, Any]:
        """Values as they are kept."""
        cleaned = super().clean() or {}
        for name in STANDARD:
            self._convert(cleaned, name, lambda text, name=name: CONVERTERS[name](text) if text else "")
        for key, kind in self.kinds.items():
            self._convert(cleaned, f"field_{key}", lambda value, kind=kind: convert_custom(kind, value))
        return cleaned

    def _convert(self, cleaned: dict[str, Any], name: str, convert: Any) -> None:
        if name not in cleaned:
            return
        try:
            cleaned[name] = convert(cleaned[name])
        except FieldError as error:
            self.add_error(name, str(error))

    def standard_values(self) -> dict[str, str]:
        """The standard fields; the form must be valid."""
        return {name: self.cleaned_data[name] for name in STANDARD}

    def custom_values(self) -> dict[str, Any]:
        """The custom fields, None where empty."""
        return {key: self.cleaned_data[f"field_{key}"] for key in self.kinds}

    def standard_fields(self) -> list[forms.BoundField]:
        """Inputs of the standard fields."""
        return [self[name] for name in ("email", *STANDARD)]

    def custom_fields(self) -> list[forms.BoundField]:
        """Inputs of the custom fields."""
        return [self[f"field_{key}"] for key in self.kinds]


def _custom_input(field: ContactField) -> forms.Field:
    shared: dict[str, Any] = {"required": False, "label": field.label}
    match field.kind:
        case ContactField.Kind.BOOLEAN:
            return forms.ChoiceField(choices=[("", "Not known"), ("yes", "Yes"), ("no", "No")], **shared)
        case ContactField.Kind.DATE:
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            return forms.CharField(widget=widget, **shared)
        case ContactField.Kind.LIST:
            return forms.CharField(help_text="Separated by commas.", **shared)
    return forms.CharField(**shared)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


class SubscribeForm(forms.Form):
    """A list that a contact joins, and how they said so."""

    mailing_list = forms.ModelChoiceField(
        MailingList.objects.select_related("brand"), empty_label=None, label="Add to the list"
    )
    note = forms.CharField(
        max_length=300, label="How did the person agree?", help_text="Kept as proof, such as “asked by phone on 3 May”."
    )


def check_field_key(key: str) -> str:
    """The key of a new custom field; raises ValidationError for one that means something already."""
    if key in RESERVED_KEYS:
        raise ValidationError(f"“{key}” is a name that templates and imports use already: choose another.")
    return key
