"""Warm-ups in the admin: new senders and their daily caps."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Intro
from delivery.admin.accounts import OfAccountAdmin
from delivery.admin.shaping import post_button
from delivery.models import WarmUp
from delivery.services.warming import today_of
from delivery.views import shaping


@admin.register(WarmUp)
class WarmUpAdmin(OfAccountAdmin[WarmUp]):
    """New senders and their daily caps."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "A new account or address must earn its name: it sends a little on the first day and more every day. What"
        " its cap does not allow goes by the other accounts of the route, or waits for the next day.",
        "delivery-health",
        "See today’s use",
    )
    empty_text = "Add one when you begin to send from an address or an account that receivers do not know yet."
    list_display = ("sender", "to_site", "day", "cap_today", "state", "go_on")
    list_select_related = ("account", "source")
    sortable_by = ()
    fieldsets = (
        ("Who is new", {"fields": ("account", "source", "site")}),
        (
            "How much",
            {
                "description": "It stops by itself when more than 3 % bounce or 0.3 % of the readers complain, holds"
                " its cap from 0.1 % complaints on, and begins anew after 30 days without mail.",
                "fields": ("curve", "first", "last", "days"),
            },
        ),
        ("When", {"fields": ("started_on", "held_days", "enabled")}),
    )
    actions = None

    @override
    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A warm-up begins today."""
        return {"started_on": timezone.localdate(), **super().get_changeform_initial_data(request)}

    @override
    def get_urls(self) -> list[URLPattern]:
        """The button's address."""
        wrap = self.admin_site.admin_view
        own = [path("<int:warm_up_id>/continue/", wrap(shaping.go_on), name="delivery_warm_up_continue")]
        return [*own, *super().get_urls()]

    @admin.display(description="New sender")
    def sender(self, warm_up: WarmUp) -> str:
        """The account, with its source address where only that is new."""
        return f"{warm_up.account}, {warm_up.source}" if warm_up.source_id else str(warm_up.account)

    @admin.display(description="To")
    def to_site(self, warm_up: WarmUp) -> str:
        """Named even where it is every site."""
        return warm_up.site or "all sites"

    @admin.display(description="Day")
    def day(self, warm_up: WarmUp) -> str:
        """On the curve, from 1."""
        return warm_up.day_in_words(today_of(warm_up, now=timezone.now()))

    @admin.display(description="Cap today")
    def cap_today(self, warm_up: WarmUp) -> str:
        """Messages, or that it is warm."""
        cap = warm_up.cap_on(today_of(warm_up, now=timezone.now())) if warm_up.enabled else None
        return "no cap" if cap is None else f"{cap:,}"

    @admin.display(description="State")
    def state(self, warm_up: WarmUp) -> str:
        """What it does, and why where that is not to rise."""
        if not warm_up.enabled:
            return "Switched off"
        if warm_up.stopped_at is not None:
            return f"Stopped: {warm_up.stopped_reason}"
        if warm_up.cap_on(today_of(warm_up, now=timezone.now())) is None:
            return "Warm"
        return f"Held: {warm_up.note}" if warm_up.note else "Rising"

    @admin.display(description="")
    def go_on(self, warm_up: WarmUp) -> str:
        """A button where it was stopped."""
        if warm_up.stopped_at is None:
            return ""
        question = "Send from it again, at the cap on which it stopped? It stops again if mail is received no better."
        return post_button("Continue", "delivery_warm_up_continue", warm_up.pk, question=question)
