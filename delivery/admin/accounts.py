"""Provider accounts with their source addresses, routes and what chooses them; what was sent is in reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db.models import Model, Prefetch
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from delivery.models import ProviderAccount, Route, RouteChoice, RouteMember, SourceAddress
from delivery.providers import PROVIDERS
from delivery.services.accounts import words_of_hold
from delivery.views import accounts, hooks

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import TabularInline

    MemberBase = TabularInline[RouteMember, Route]
else:
    from unfold.admin import TabularInline

    MemberBase = TabularInline


SECRETS = ("account__secrets", "account__hook_secrets")

M = TypeVar("M", bound=Model)


class OfAccountAdmin(Admin[M]):
    """Rows that name an account: lists need no secrets, and a wrong key must not close them."""

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the secrets."""
        return super().get_queryset(request).defer(*SECRETS)


@admin.register(ProviderAccount)
class ProviderAccountAdmin(Admin[ProviderAccount]):
    """Accounts with their limits; secrets are written, never read."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "The mail servers and services that carry your mail. A route says which of them a campaign goes by.",
        "delivery-health",
        "See what they do now",
    )
    empty_text = "Connect the SMTP server or the service that carries your mail; you can test it before you send."
    add_words = "Connect a provider"
    list_display = ("name", "service", "state", "rate", "per_day", "max_connections")
    sortable_by = ()
    list_filter = ("enabled", "kind")
    search_fields = ("name",)
    actions = None

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """Lists need no secrets, and a wrong key must not close the list."""
        return super().get_queryset(request).select_related("breaker").defer("secrets", "hook_secrets")

    @admin.display(description="Provider", ordering="kind")
    def service(self, account: ProviderAccount) -> str:
        """As people know it."""
        known = PROVIDERS.get(account.kind)
        return known.label if known else "SMTP server"

    @admin.display(description="State")
    def state(self, account: ProviderAccount) -> str:
        """Ready, or why it does not send."""
        if not account.enabled:
            return "Switched off"
        hold = words_of_hold(account, getattr(account, "breaker", None), now=timezone.now())
        return f"{hold[:120]}…" if len(hold) > 120 else hold or "Ready"

    @admin.display(description="Limit")
    def rate(self, account: ProviderAccount) -> str:
        """In words."""
        return account.rates_in_words

    @admin.display(description="A day")
    def per_day(self, account: ProviderAccount) -> str:
        """The quota."""
        return f"{account.messages_per_day:,}" if account.messages_per_day else "no quota"

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
    extra = 0
    min_num = 1
    tab = False

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """With the accounts' names, which head the rows."""
        return super().get_queryset(request).select_related("account").defer(*SECRETS)


@admin.register(Route)
class RouteAdmin(Admin[Route]):
    """Routes: pools of accounts."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "A route is the way that mail leaves: one provider account, or several that share the work or stand in for"
        " each other.",
        "admin:delivery_provideraccount_changelist",
        "See providers",
    )
    empty_text = "Your first provider gets one by itself: connect it, and campaigns can be sent."
    list_display = ("name", "pool", "for_brand", "is_default")
    list_select_related = ("brand",)
    sortable_by = ()
    inlines = (MemberInline,)
    fields = ("name", "key", "brand", "is_default")
    prepopulated_fields = {"key": ("name",)}
    actions = None

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """With the names of the accounts, in two queries."""
        members = RouteMember.objects.select_related("account").defer(*SECRETS)
        return super().get_queryset(request).prefetch_related(Prefetch("members", members))

    @admin.display(description="Accounts")
    def pool(self, route: Route) -> str:
        """In the order in which they are used."""
        members = list(route.members.all())
        first = min((member.rank for member in members), default=0)
        names = [f"{m.account}{' (stands in)' if m.rank > first else ''}" for m in members]
        return ", ".join(names) or "none: nothing can be sent by it"

    @admin.display(description="Brand")
    def for_brand(self, route: Route) -> str:
        """Named even where it is any."""
        return str(route.brand or "any")


@admin.register(RouteChoice)
class RouteChoiceAdmin(Admin[RouteChoice]):
    """Which route mail takes that names none."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Which route mail takes when its campaign names none. The first line that fits counts; where none fits, the"
        " brand’s route or the default one does.",
        "admin:delivery_route_changelist",
        "See routes",
    )
    empty_text = "All mail takes its brand’s route or the default one. Add a line when some of it should not."
    list_display = ("position", "from_domain", "of_kind", "of_brand", "route")
    list_display_links = ("from_domain",)
    list_select_related = ("brand", "route")
    sortable_by = ()
    fieldsets = (
        ("Mail that", {"fields": ("sender_domain", "message_kind", "brand")}),
        ("Takes", {"fields": ("route", "position")}),
    )
    actions = None

    @admin.display(description="Sender’s domain")
    def from_domain(self, choice: RouteChoice) -> str:
        """Named even where it is any."""
        return choice.sender_domain or "any"

    @admin.display(description="Kind of message")
    def of_kind(self, choice: RouteChoice) -> str:
        """As the form words it."""
        return choice.get_message_kind_display()

    @admin.display(description="Brand")
    def of_brand(self, choice: RouteChoice) -> str:
        """Named even where it is any."""
        return str(choice.brand or "any")


@admin.register(SourceAddress)
class SourceAddressAdmin(OfAccountAdmin[SourceAddress]):
    """Local addresses that SMTP accounts connect from."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "IP addresses of your own that an SMTP account connects from, each with its own limits and its own name among"
        " receivers. An account without any leaves the choice to the system.",
        "admin:delivery_warmup_changelist",
        "See warm-ups",
    )
    empty_text = "Only needed where your machines have several IP addresses and mail should leave from certain ones."
    list_display = ("address", "account", "weight", "enabled", "at_once", "rate", "per_day")
    list_select_related = ("account",)
    list_filter = ("account",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("account", "address", "helo_name", "weight", "enabled")}),
        (
            "Limits of this address",
            {
                "description": "They hold beside those of the account: the stricter one counts.",
                "fields": ("messages_per_second", "messages_per_hour", "messages_per_day", "max_connections"),
            },
        ),
    )
    actions = None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only SMTP accounts connect from an address of ours."""
        if db_field.name == "account":
            kwargs["queryset"] = ProviderAccount.objects.filter(kind="smtp").defer("secrets")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="Connections")
    def at_once(self, source: SourceAddress) -> str:
        """At once."""
        return str(source.max_connections or "as the account")

    @admin.display(description="Limit")
    def rate(self, source: SourceAddress) -> str:
        """In words."""
        return source.rates_in_words

    @admin.display(description="A day")
    def per_day(self, source: SourceAddress) -> str:
        """The quota."""
        return f"{source.messages_per_day:,}" if source.messages_per_day else "no quota"
