"""Suppressions in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from contacts.addresses import Address, normalise_address
from contacts.admin.base import INTRO_TEMPLATE, Admin, EstimatePaginator, Intro, SimpleListFilter
from contacts.models import Suppression
from contacts.views import suppressions


class HoldsFilter(SimpleListFilter):
    """Suppressions that hold, or were lifted."""

    title = "state"
    parameter_name = "state"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two states."""
        return [("holds", "Holds"), ("lifted", "Lifted")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen state."""
        if self.value() == "holds":
            return queryset.filter(lifted_at=None)
        return queryset.exclude(lifted_at=None) if self.value() == "lifted" else queryset


@admin.register(Suppression)
class SuppressionAdmin(Admin[Suppression]):
    """Addresses that get no mail, newest first."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Addresses that get no mail, whatever lists they are on. Only a person can lift a suppression.",
        "admin:contacts_suppression_file",
        "Upload a file of addresses",
    )
    list_display = ("who", "reason", "scope", "source", "created_at", "expires_at", "lifted_at")
    list_filter = (HoldsFilter, "reason", "brand")
    list_select_related = ("brand", "mailing_list")
    search_fields = ("address",)
    search_help_text = "A whole address: erased ones are found too, by their hash"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    paginator = EstimatePaginator
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """The upload before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [path("file/", wrap(suppressions.suppress_file), name="contacts_suppression_file")]
        return [*own, *super().get_urls()]

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """By the key of the address, which is indexed."""
        if not search_term.strip():
            return queryset, False
        address = normalise_address(search_term)
        found = queryset.filter(address_key=address.key) if isinstance(address, Address) else queryset.none()
        return found, False

    @admin.display(description="Address")
    def who(self, suppression: Suppression) -> str:
        """The address, or that the person was erased."""
        return suppression.address or "Erased person"

    @admin.display(description="No mail from")
    def scope(self, suppression: Suppression) -> str:
        """A list, a brand or everything."""
        return str(suppression.mailing_list or suppression.brand or "All brands")

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Suppress one address."""
        return suppressions.suppress(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The suppression's page."""
        return suppressions.show_suppression(request, int(object_id))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """A suppression is lifted, with a reason, and never deleted."""
        return False
