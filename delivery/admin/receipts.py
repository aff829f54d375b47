"""Webhook calls and returned mails in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, EstimatePaginator, Intro, SimpleListFilter
from delivery.models import Receipt
from delivery.services.receiving import read_again
from delivery.views import receipts


class ReceiptStateFilter(SimpleListFilter):
    """Receipts by what became of them."""

    title = "state"
    parameter_name = "state"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states."""
        return [("problem", "With a problem"), ("waiting", "Waiting"), ("unmatched", "About other mail")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Receipt]) -> QuerySet[Receipt]:
        """Those of the chosen state."""
        match self.value():
            case "problem":
                return queryset.exclude(problem="")
            case "waiting":
                return queryset.filter(processed_at=None)
            case "unmatched":
                return queryset.filter(n_unmatched__gt=0)
        return queryset


@admin.register(Receipt)
class ReceiptAdmin(Admin[Receipt]):
    """Webhook calls and returned mails, newest first."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "What providers and servers reported about your mail: webhook calls and returned mails, exactly as they came."
        " One that could not be read can be read again once the cause is repaired.",
        "delivery-health",
        "See delivery health",
    )
    empty_text = (
        "Webhooks come once their address is entered at the provider (each provider’s page shows it); returned mails"
        " come once `manage.py intake` runs for the return path’s domain."
    )
    list_display = ("came", "kind", "account", "ours", "others", "state")
    list_filter = (ReceiptStateFilter, "kind", "account")
    list_select_related = ("account",)
    ordering = ("-id",)
    sortable_by = ()
    paginator = EstimatePaginator
    show_full_result_count = False
    list_per_page = 50
    actions = ("process_again",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        """Without bodies: those may be megabytes. Secrets of accounts are nobody's business here."""
        found = super().get_queryset(request)
        return found.defer("body", "headers", "account__secrets", "account__hook_secrets")

    @override
    def get_urls(self) -> list[URLPattern]:
        """The bytes and the button, before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:receipt_id>/raw/", wrap(receipts.raw_body), name="delivery_receipt_raw"),
            path("<int:receipt_id>/again/", wrap(receipts.process_again), name="delivery_receipt_again"),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description="Came")
    def came(self, receipt: Receipt) -> str:
        """To the second."""
        return date_format(receipt.received_at, "j M Y, H:i:s")

    @admin.display(description="Events of our mail")
    def ours(self, receipt: Receipt) -> int:
        """How many."""
        return receipt.n_events

    @admin.display(description="About other mail")
    def others(self, receipt: Receipt) -> int:
        """How many."""
        return receipt.n_unmatched

    @admin.display(description="State")
    def state(self, receipt: Receipt) -> str:
        """Read, waiting, or what is wrong."""
        if receipt.problem:
            return f"Cannot be read: {receipt.problem[:80]}"
        return "Read" if receipt.processed_at else "Waiting"

    @admin.action(description="Process again", permissions=["change"])
    def process_again(self, request: HttpRequest, chosen: QuerySet[Receipt]) -> None:
        """The chosen receipts are read again at the next tick."""
        n_chosen = read_again(chosen)
        self.message_user(request, f"{n_chosen} receipts will be read again within seconds.")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Receipts come in; nobody writes one."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Receipt | None = None) -> bool:
        """Receipts go by themselves when they are old."""
        return False

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The receipt's own page."""
        return receipts.receipt(request, int(object_id))
