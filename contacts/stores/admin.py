"""Stores in the admin: settings, the webhook address to paste, and what came in lately."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from contacts.errors import ContactsError
from contacts.stores.forms import StoreForm
from contacts.stores.models import Store, StoreDelivery
from contacts.stores.processing import process_again
from contacts.views.pages import page_of

N_SHOWN = 20
TOPICS = {
    Store.Platform.SHOPIFY: "customers/create, customers/update, customers/delete, "
    "customers_email_marketing_consent/update, and the compliance topic customers/redact",
    Store.Platform.WOOCOMMERCE: "Customer created, Customer updated, Customer deleted",
}


@admin.register(Store)
class StoreAdmin(Admin[Store]):
    """Connected stores."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro("Shops that tell Fanfare about their customers by signed webhooks, within seconds.")
    form = StoreForm
    list_display = ("name", "platform", "brand", "domain", "mailing_list", "enabled", "created_at")
    list_filter = ("brand", "platform", "enabled")
    list_select_related = ("brand", "mailing_list")
    search_fields = ("name", "domain")
    search_help_text = "Search by name or domain"

    def get_urls(self) -> list[URLPattern]:
        """The button before the standard addresses."""
        again = path(
            "deliveries/<int:delivery_id>/again/",
            self.admin_site.admin_view(try_again),
            name="stores_storedelivery_again",
        )
        return [again, *super().get_urls()]

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Store | None = None) -> Any:
        """The address and the deliveries exist once the store does."""
        store = ("Store", {"fields": ("brand", "platform", "name", "domain", "enabled")})
        consent = ("People", {"fields": ("mailing_list", "consent_meta_key")})
        if obj is None:
            return (store, consent, ("Webhook", {"fields": ("webhook_secret",)}))
        webhook = ("webhook_address", "webhook_topics", "webhook_secret", "end_old_secret")
        return (store, consent, ("Webhook", {"fields": webhook}), ("Latest deliveries", {"fields": ("deliveries",)}))

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> tuple[str, ...]:
        """A store stays with its brand and platform: identities are kept under them."""
        return ("brand", "platform", "webhook_address", "webhook_topics", "deliveries") if obj else ()

    @admin.display(description="Address to paste into the store")
    def webhook_address(self, store: Store) -> SafeString:
        """Where the store sends to."""
        address = settings.PUBLIC_ORIGIN + reverse("store-deliveries", args=[store.uuid])
        return format_html("<code>{}</code>", address)

    @admin.display(description="Topics to subscribe to")
    def webhook_topics(self, store: Store) -> str:
        """Which webhooks to make there."""
        return TOPICS[Store.Platform(store.platform)]

    @admin.display(description="")
    def deliveries(self, store: Store) -> str:
        """The last 20, without bodies: those may be megabytes."""
        latest = store.deliveries.defer("body", "headers").order_by("-pk")[:N_SHOWN]
        return render_to_string("stores/deliveries.html", {"deliveries": latest})


@require_POST
@permission_required("stores.change_store", raise_exception=True)
def try_again(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Process a delivery that failed once more."""
    delivery = get_object_or_404(StoreDelivery.objects.select_related("store"), pk=delivery_id)
    try:
        process_again(delivery, now=timezone.now())
    except ContactsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The delivery will be processed again.")
    return redirect(page_of(delivery.store))
