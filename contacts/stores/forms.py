"""The form of a store: its secret goes in and never comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from contacts.stores.models import Store

if TYPE_CHECKING:
    StoreModelForm = forms.ModelForm[Store]  # generic for the type checker alone
else:
    StoreModelForm = forms.ModelForm

SPOILED = "&<>\"'"  # WooCommerce signs with the HTML-unescaped secret: these five would not survive


class StoreForm(StoreModelForm):
    """A store; a new secret replaces the old one, which still holds for deliveries under way."""

    webhook_secret = forms.CharField(
        required=False,
        max_length=200,
        strip=True,
        label="Webhook secret",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    end_old_secret = forms.BooleanField(
        required=False, label="Stop accepting the old secret now", widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Store
        fields = ("brand", "platform", "name", "domain", "mailing_list", "consent_meta_key", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        has_secret = bool(self.instance.pk and self.instance.secrets.get("webhook_secret"))
        self.fields["webhook_secret"].required = not has_secret
        self.fields["webhook_secret"].help_text = (
            "Shopify: the app's client secret. WooCommerce: the secret you type into the webhook's form. "
            + (
                "One is stored; leave this empty to keep it. It is never shown."
                if has_secret
                else "It is never shown again."
            )
        )

    def clean(self) -> dict[str, Any]:
        """The list belongs to the store's brand; a WooCommerce secret survives WordPress."""
        cleaned = super().clean() or {}
        mailing_list = cleaned.get("mailing_list")
        brand = cleaned.get("brand")
        brand_id = brand.pk if brand else self.instance.brand_id  # cannot be changed once the store exists
        if mailing_list is not None and mailing_list.brand_id != brand_id:
            self.add_error("mailing_list", "This list belongs to another brand.")
        secret = cleaned.get("webhook_secret") or ""
        platform = cleaned.get("platform") or self.instance.platform
        if platform == Store.Platform.WOOCOMMERCE and any(letter in secret for letter in SPOILED):
            self.add_error("webhook_secret", ValidationError("WordPress changes & < > \" ' in secrets: use others."))
        return cleaned

    def save(self, commit: bool = True) -> Store:
        """The store, its new secret first in the row."""
        secrets = dict(self.instance.secrets or {})
        new = self.cleaned_data.get("webhook_secret")
        if new:
            secrets = {"webhook_secret": new, "old_webhook_secret": secrets.get("webhook_secret", "")}
        elif self.cleaned_data.get("end_old_secret"):
            secrets.pop("old_webhook_secret", None)
        self.instance.secrets = secrets
        return super().save(commit)
