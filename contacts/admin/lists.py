"""Mailing lists and brands in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from contacts.forms.brands import BrandForm
from contacts.models import Brand, Contact, MailingList
from contacts.queries import list_counts
from contacts.views.pages import changelist


@admin.register(MailingList)
class MailingListAdmin(Admin[MailingList]):
    """Lists with how many people are on them."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro("A campaign goes to lists. People join and leave each list on its own.")
    list_display = ("name", "brand", "n_subscribed", "n_unconfirmed", "n_unsubscribed", "public", "created_at")
    list_filter = ("brand", "public")
    list_select_related = ("brand",)
    search_fields = ("name",)
    search_help_text = "Search by name"
    fields = ("brand", "name", "description", "public")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The only brand is chosen."""
        brands = list(Brand.objects.values_list("pk", flat=True)[:2])
        return {"brand": brands[0] if len(brands) == 1 else None, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailingList]:
        """The lists; the counts of all lists come with one query more."""
        self._counts: dict[int, dict[str, int]] | None = None
        return super().get_queryset(request)

    def _count(self, mailing_list: MailingList, state: str) -> int:
        if self._counts is None or mailing_list.pk not in self._counts:
            self._counts = list_counts(MailingList.objects.values_list("pk", flat=True))
        return self._counts[mailing_list.pk].get(state, 0)

    @admin.display(description="Subscribed")
    def n_subscribed(self, mailing_list: MailingList) -> SafeString:
        """How many get mail, with a link to them."""
        address = changelist_of_members(mailing_list)
        return format_html('<a class="link" href="{}">{}</a>', address, f"{self._count(mailing_list, 'confirmed'):,}")

    @admin.display(description="Unconfirmed")
    def n_unconfirmed(self, mailing_list: MailingList) -> str:
        """How many have not confirmed."""
        return f"{self._count(mailing_list, 'unconfirmed'):,}"

    @admin.display(description="Unsubscribed")
    def n_unsubscribed(self, mailing_list: MailingList) -> str:
        """How many have left."""
        return f"{self._count(mailing_list, 'unsubscribed'):,}"

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: MailingList | None = None) -> tuple[str, ...]:
        """A list stays with its brand: its people agreed to mail from that one."""
        return ("brand",) if obj else ()


def changelist_of_members(mailing_list: MailingList) -> str:
    """The contacts page narrowed to a list."""
    return f"{changelist(Contact)}?list={mailing_list.pk}"


@admin.register(Brand)
class BrandAdmin(Admin[Brand]):
    """The sender identities."""

    form = BrandForm
    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Who mail comes from: name, address, domains and the postal address that the law wants in every mail."
    )
    list_display = ("name", "from_name", "from_email", "website", "default_locale", "timezone")
    search_fields = ("name",)
    search_help_text = "Search by name"
    prepopulated_fields = {"slug": ("name",)}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    fieldsets = (
        (None, {"fields": ("name", "slug", "website")}),
        ("Sender", {"fields": ("from_name", "from_email", "reply_to", "postal_address")}),
        ("Language and time", {"fields": ("default_locale", "timezone")}),
        ("Domains", {"fields": ("bounce_domain", "tracking_origin")}),
    )

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Brand | None = None) -> bool:
        """A brand with lists stays: they are history."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.mailing_lists.exists())

    def get_prepopulated_fields(self, request: HttpRequest, obj: Brand | None = None) -> dict[str, Any]:
        """The short name is made once: mail headers name it."""
        return {} if obj else super().get_prepopulated_fields(request, obj)
