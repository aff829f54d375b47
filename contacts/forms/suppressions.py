"""Forms of suppressions: one address, a file of addresses, lifting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from contacts.addresses import Address, AddressProblem, normalise_address
from contacts.models import Brand, MailingList, Suppression

BY_HAND = [
    (reason.value, reason.label)
    for reason in Suppression.Reason
    if reason not in {Suppression.Reason.ERASED, Suppression.Reason.SOFT_BOUNCE}
]


class SuppressForm(forms.Form):
    """One address that gets no more mail."""

    email = forms.CharField(max_length=320, label="Email address", widget=forms.EmailInput)
    reason = forms.ChoiceField(choices=BY_HAND, initial=Suppression.Reason.MANUAL, label="Why")
    brand = forms.ModelChoiceField(
        Brand.objects.all(), required=False, empty_label="All brands", label="No more mail from"
    )
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.select_related("brand"),
        required=False,
        empty_label="Every list",
        label="Or only from the list",
    )
    note = forms.CharField(max_length=300, required=False, label="Note", help_text="Kept with the suppression.")

    def clean_email(self) -> Address:
        """The normalised address."""
        address = normalise_address(self.cleaned_data["email"])
        if isinstance(address, AddressProblem):
            raise ValidationError(address.reason)
        return address

    def clean(self) -> dict[str, Any]:
        """A suppression holds for a brand or for a list, not for both."""
        cleaned = super().clean() or {}
        if cleaned.get("brand") and cleaned.get("mailing_list"):
            self.add_error("mailing_list", "Choose a brand or a list, not both.")
        return cleaned


class SuppressFileForm(forms.Form):
    """A file of addresses that get no more mail."""

    file = forms.FileField(label="CSV file", help_text="With a column of email addresses; up to 100,000 rows.")
    reason = forms.ChoiceField(choices=BY_HAND, initial=Suppression.Reason.UNSUBSCRIBED, label="Why")
    brand = forms.ModelChoiceField(
        Brand.objects.all(), required=False, empty_label="All brands", label="No more mail from"
    )


class LiftForm(forms.Form):
    """Why a suppression is lifted."""

    note = forms.CharField(
        max_length=300,
        label="Why is it lifted?",
        help_text="Such as “the person wrote to us on 3 May and asked for it”.",
    )
