"""Provider accounts with their source addresses, routes and what chooses them; what was sent is in reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from delivery.models import ProviderAccount, Route, RouteChoice, RouteMember, SourceAddress
from delivery.views import accounts, hooks

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin, TabularInline

    AccountBase = ModelAdmin[ProviderAccount]
    RouteBase = ModelAdmin[Route]
    MemberBase = TabularInline[RouteMember, Route]
    ChoiceBase = ModelAdmin[RouteChoice]
    SourceBase = ModelAdmin[SourceAddress]
else:
    from unfold.admin import ModelAdmin, TabularInline

    AccountBase = RouteBase = ChoiceBase = SourceBase = ModelAdmin
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
        return super().get_queryset(request).defer("secrets", "hook_secrets")

    @override
    def get_urls(self) -> list[URLPattern]:
        """The form of a new account and the connection test, before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [
            path("new/<str:choice>/", wrap(accounts.new_account), name="delivery_account_new"),
            path("<int:account_id>/test/", wrap(accounts.test_connection), name="delivery_account_test"),
            path("<int:account_id>/trial/", wrap(accounts.send_trial_message), name="delivery_account_trial"),
            path("<int:account_id>/hook/secret/", wrap(hooks.make_secret), name="delivery_hook_make_secret"),
            path("<int:account_id>/hook/keep/", wrap(hooks.keep_secret), name="delivery_hook_keep_secret"),
            path("<int:account_id>/hook/end/", wrap(hooks.end_old_secret), name="delivery_hook_end_old"),
            path("<int:account_id>/resume/", wrap(accounts.resume), name="delivery_account_resume"),
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


@admin.register(RouteChoice)
class RouteChoiceAdmin(ChoiceBase):
    """Which route mail takes that names none."""

    list_display = ("position", "from_domain", "of_kind", "brand", "route")
    list_display_links = ("from_domain",)
    list_select_related = ("brand", "route")
    actions = None

    @admin.display(description="Sender domain", ordering="sender_domain")
    def from_domain(self, choice: RouteChoice) -> str:
        """Named even where it is any."""
        return choice.sender_domain or "any"

    @admin.display(description="Kind of message")
    def of_kind(self, choice: RouteChoice) -> str:
        """As the form words it."""
        return choice.get_message_kind_display()


@admin.register(SourceAddress)
class SourceAddressAdmin(SourceBase):
    """Local addresses that SMTP accounts connect from."""

    list_display = ("address", "account", "weight", "enabled", "messages_per_second", "messages_per_day")
    list_select_related = ("account",)
    list_filter = ("account",)
    actions = None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only SMTP accounts connect from an address of ours."""
        if db_field.name == "account":
            kwargs["queryset"] = ProviderAccount.objects.filter(kind="smtp").defer("secrets")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
