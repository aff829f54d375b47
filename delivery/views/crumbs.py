"""The way to delivery's pages."""

from __future__ import annotations

from django.urls import reverse

from campaigns.views.pages import Crumbs, home_crumbs
from delivery.models import ProviderAccount


def account_crumbs() -> Crumbs:
    """To the pages of provider accounts."""
    return [*home_crumbs(), ("Providers", reverse("admin:delivery_provideraccount_changelist"))]


def receipt_crumbs() -> Crumbs:
    """To the pages of receipts."""
    return [*home_crumbs(), ("Receipts", reverse("admin:delivery_receipt_changelist"))]


def account_page(account: ProviderAccount) -> str:
    """An account's page."""
    return reverse("admin:delivery_provideraccount_change", args=[account.pk])
