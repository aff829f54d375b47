"""The form of an API key."""

from __future__ import annotations

from django import forms

from contacts.models import Brand


class ApiKeyForm(forms.Form):
    """A new key."""

    brand = forms.ModelChoiceField(Brand.objects.all(), empty_label=None, label="Brand")
    name = forms.CharField(max_length=100, label="Name", help_text="Who uses it, such as “shop server”.")
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires at",
        help_text="Empty: it holds until you revoke it. UTC.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
