"""Provider accounts and routes in the admin; what was sent is looked at in reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from delivery.models import ProviderAccount, Route, RouteMember
from delivery.views import accounts

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin, TabularInline

    AccountBase = ModelAdmin[ProviderAccount]
    RouteBase = ModelAdmin[Route]
    MemberBase = TabularInline[RouteMember, Route]
else:
    from unfold.admin import ModelAdmin, TabularInline

    AccountBase = RouteBase = ModelAdmin
    MemberBase = TabularInline


@admin.register(ProviderAccount)
class ProviderAccountAdmin(AccountBase):
    """Accounts with their limits; secrets are written, never read."""

    list_display = (
        "name",
        "kind",
        "enabled",
        "max_connections",
        "messages_per_second",
        "messages_per_day",
        "suspended_until",
    )
    list_filter = ("enabled", "kind")
    search_fields = ("name",)
    actions = None

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """Lists need no secrets, and a wrong key must not close the list."""
        return super().get_queryset(request).defer("secrets")

    @override
    def get_urls(self) -> list[URLPattern]:
        """The form of a new account and the connection test, before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [
            path("new/<str:choice>/", wrap(accounts.new_account), name="delivery_account_new"),
            path("<int:account_id>/test/", wrap(accounts.test_connection), name="delivery_account_test"),
        ]
        return [*own, *super().get_urls()]

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First pick a provider."""
        return accounts.pick(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The account's own page."""
        return accounts.edit_account(request, int(object_id))


class MemberInline(MemberBase):
    """The accounts of a route: lower rank first, weights share within a rank."""

    model = RouteMember
    extra = 1
    tab = False


@admin.register(Route)
class RouteAdmin(RouteBase):
    """Routes: pools of accounts."""

    list_display = ("name", "key", "brand", "is_default")
    list_select_related = ("brand",)
    inlines = (MemberInline,)
    prepopulated_fields = {"key": ("name",)}
    actions = None
