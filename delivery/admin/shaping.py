"""What shaping did by itself, to be looked at and taken back: measures, and paths that are slowed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Intro, SimpleListFilter
from delivery.admin.accounts import OfAccountAdmin
from delivery.models import ShapingMeasure, SitePace
from delivery.views import shaping


def post_button(label: str, name: str, pk: object, *, question: str = "") -> str:
    """A button in a row of a list: it posts the list's form, which carries the CSRF token, to an address of its own."""
    return format_html(
        '<button type="submit" class="btn small" formmethod="post" formaction="{}" formnovalidate{}>{}</button>',
        reverse(f"admin:{name}", args=[pk]),
        format_html(' data-confirm="{}"', question) if question else "",
        label,
    )


class OnlyLookedAt:
    """Rows that the engine writes: nobody adds, edits or deletes them; buttons take back what they do."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Never."""
        return False


class StillHolds(SimpleListFilter):
    """Running measures first: what is over is history."""

    title = "state"
    parameter_name = "state"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("running", "Holds now"), ("over", "Over or revoked")]

    @override
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """By the clock."""
        running = queryset.filter(revoked_at=None, until__gt=timezone.now())
        if self.value() == "running":
            return running
        return queryset.exclude(pk__in=running.values("pk")) if self.value() == "over" else queryset


@admin.register(ShapingMeasure)
class ShapingMeasureAdmin(OnlyLookedAt, OfAccountAdmin[ShapingMeasure]):
    """Measures with the reply that caused them; a running one can be revoked."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "What was suspended or slowed because a server asked for it, with its words. Each ends by itself; revoke one"
        " when you know that its cause is gone.",
        "admin:delivery_shapingrule_changelist",
        "See the rules",
    )
    empty_text = "No server has said anything that a shaping rule listens to."
    list_display = ("what", "where", "words", "until_when", "revoke")
    list_filter = (StillHolds, "account", "site")
    list_select_related = ("account", "source")
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    actions = None
    fieldsets = (
        (None, {"fields": ("what", "where", "reason", "reply", "rule", "n_times")}),
        ("When", {"fields": ("began_at", "until", "revoked_at", "revoked_by")}),
    )
    readonly_fields = ("what", "where")

    @override
    def get_urls(self) -> list[URLPattern]:
        """The button's address."""
        wrap = self.admin_site.admin_view
        own = [path("<int:measure_id>/revoke/", wrap(shaping.revoke), name="delivery_measure_revoke")]
        return [*own, *super().get_urls()]

    @admin.display(description="What holds")
    def what(self, measure: ShapingMeasure) -> str:
        """The effect with its unit, and how often it was called for."""
        words = measure.as_measure.in_words
        times = f", called for {measure.n_times} times" if measure.n_times > 1 else ""
        return f"{words[0].upper()}{words[1:]} (rule {measure.rule}{times})"

    @admin.display(description="Where")
    def where(self, measure: ShapingMeasure) -> str:
        """Account, source address, site and campaign, as far as they matter."""
        account = str(measure.account or "every account")
        of_source = f", {measure.source}" if measure.source_id else ""
        to_site = f" to {measure.site}" if measure.site else ""
        of_campaign = f", campaign {measure.campaign_id} only" if measure.target.startswith("campaign:") else ""
        return f"{account}{of_source}{to_site}{of_campaign}"

    @admin.display(description="The server said")
    def words(self, measure: ShapingMeasure) -> str:
        """The beginning; the measure's own page has all."""
        return measure.reply if len(measure.reply) <= 160 else f"{measure.reply[:160]}…"

    @admin.display(description="Holds until")
    def until_when(self, measure: ShapingMeasure) -> Any:
        """The end, or that it is over."""
        return measure.until

    @admin.display(description="")
    def revoke(self, measure: ShapingMeasure) -> str:
        """A button, or who revoked it."""
        if measure.revoked_at is not None:
            return "Revoked"
        if measure.until <= timezone.now():
            return "Over"
        question = "Revoke this measure? Sending goes on at once; if the server says the same again, so does the rule."
        return post_button("Revoke", "delivery_measure_revoke", measure.pk, question=question)


@admin.register(SitePace)
class SitePaceAdmin(OnlyLookedAt, OfAccountAdmin[SitePace]):
    """Paths that are slowed, with the reply that said so."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Ways to a recipient site whose server asked to slow down. The rate was halved and rises again by itself, 5 %"
        " of the full rate every minute.",
        "delivery-health",
        "See what holds now",
    )
    empty_text = "Every site takes mail at full rate."
    list_display = ("where", "share", "changed_at", "full", "words", "restore")
    list_select_related = ("account", "source")
    list_display_links = None
    sortable_by = ()
    list_per_page = 50
    actions = None

    @override
    def get_urls(self) -> list[URLPattern]:
        """The button's address."""
        wrap = self.admin_site.admin_view
        own = [path("restore/<str:target>/", wrap(shaping.restore), name="delivery_pace_restore")]
        return [*own, *super().get_urls()]

    @admin.display(description="Way")
    def where(self, pace: SitePace) -> str:
        """Account, source address and site."""
        of_source = f", {pace.source}" if pace.source_id else ""
        return f"{pace.account}{of_source} to {pace.site or 'smaller sites'}"

    @admin.display(description="Slowed to")
    def share(self, pace: SitePace) -> str:
        """Of the full rate, when the server last asked."""
        return f"{pace.factor:.0%} of the full rate"

    @admin.display(description="Full rate again")
    def full(self, pace: SitePace) -> Any:
        """When, if nothing else is heard."""
        return pace.full_at

    @admin.display(description="The server said")
    def words(self, pace: SitePace) -> str:
        """The beginning."""
        return pace.reply[:160]

    @admin.display(description="")
    def restore(self, pace: SitePace) -> str:
        """A button while it is slowed."""
        if pace.full_at <= timezone.now():
            return "At full rate"
        question = "Send at full rate at once? If the server asks to slow down again, the rate is halved again."
        return post_button("Full rate", "delivery_pace_restore", pace.pk, question=question)
