"""The form of a webhook secret that is made at the provider and pasted here."""

from __future__ import annotations

from typing import Any

from django import forms

from delivery.models import ProviderAccount
from delivery.services.hooks import kind_of


class HookSecretForm(forms.Form):
    """A secret goes in and never comes out."""

    secret = forms.CharField(
        label="Secret from the provider",
        max_length=2000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, account: ProviderAccount, help_text: str, data: Any = None) -> None:
        super().__init__(data)
        self._account = account
        self.fields["secret"].help_text = f"{help_text}."

    def clean_secret(self) -> str:
        """The kind knows how its secrets look."""
        secret: str = self.cleaned_data["secret"]
        problem = kind_of(self._account).secret_problem(secret)
        if problem:
            raise forms.ValidationError(problem)
        return secret
