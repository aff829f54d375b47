"""Site profiles, rules, measures, paces and warm-ups: edited and taken back here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override
from unfold.widgets import UnfoldAdminTextInputWidget

from delivery.models import ShapingMeasure, ShapingRule, SitePace, SiteProfile, WarmUp
from delivery.views import shaping

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin

    ProfileBase = ModelAdmin[SiteProfile]
    RuleBase = ModelAdmin[ShapingRule]
    MeasureBase = ModelAdmin[ShapingMeasure]
    PaceBase = ModelAdmin[SitePace]
    WarmUpBase = ModelAdmin[WarmUp]
    RuleFormBase = forms.ModelForm[ShapingRule]
else:
    from unfold.admin import ModelAdmin

    ProfileBase = RuleBase = MeasureBase = PaceBase = WarmUpBase = ModelAdmin
    RuleFormBase = forms.ModelForm

ONE_LINE: Mapping[type[Field[Any, Any]], Mapping[str, Any]] = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}


def post_button(label: str, name: str, pk: object) -> str:
    """A button in a row of a list: it posts the list's form, which carries the CSRF token, to an address of its own."""
    return format_html(
        '<button type="submit" class="btn small" formmethod="post" formaction="{}" formnovalidate>{}</button>',
        reverse(f"admin:{name}", args=[pk]),
        label,
    )


class OnlyLookedAt:
    """Rows that the engine writes: nobody adds or edits them."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(SiteProfile)
class SiteProfileAdmin(ProfileBase):
    """What each recipient site accepts."""

    list_display = (
        "name",
        "messages_per_second",
        "messages_per_hour",
        "messages_per_day",
        "connections",
        "messages_per_connection",
        "tls",
    )
    search_fields = ("site",)
    formfield_overrides = ONE_LINE
    fieldsets = (
        (None, {"fields": ("site", "messages_per_second", "messages_per_hour", "messages_per_day", "note")}),
        (
            "Accounts whose server is the site's own",
            {"fields": ("connections", "connections_per_minute", "messages_per_connection", "tls", "idle_s")},
        ),
        ("Which domains belong to it", {"fields": ("mx_suffixes",)}),
    )
    actions = None

    @admin.display(description="Site", ordering="site")
    def name(self, profile: SiteProfile) -> str:
        """The default row has a name too."""
        return str(profile)


class RuleForm(RuleFormBase):
    """A rule whose pattern is one."""

    class Meta:
        model = ShapingRule
        fields = "__all__"

    def clean_pattern(self) -> str:
        """What Python's re cannot read is refused with its words."""
        pattern: str = self.cleaned_data["pattern"]
        try:
            re.compile(pattern)
        except re.error as problem:
            raise forms.ValidationError(f"This is no regular expression: {problem}.") from problem
        return pattern


@admin.register(ShapingRule)
class ShapingRuleAdmin(RuleBase):
    """What a server's words do."""

    form = RuleForm
    list_display = ("key", "pattern", "from_sites", "n_per_hour", "effect", "minutes", "enabled")
    list_filter = ("enabled", "reach")
    search_fields = ("key", "pattern")
    formfield_overrides = ONE_LINE
    actions = None

    @admin.display(description="Sites")
    def from_sites(self, rule: ShapingRule) -> str:
        """Names with commas."""
        return ", ".join(rule.sites) or "any"

    @admin.display(description="Effect")
    def effect(self, rule: ShapingRule) -> str:
        """All effects in words."""
        return "; ".join(
            effect.action.replace("_", " ") + (f" to {effect.value}" if effect.value else "") for effect in rule.effects
        )


class StillHolds(admin.SimpleListFilter):
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
class ShapingMeasureAdmin(OnlyLookedAt, MeasureBase):
    """Measures with the reply that caused them; a running one can be revoked."""

    list_display = ("reason", "account", "site", "reply", "began_at", "until", "revoke")
    list_filter = (StillHolds, "account", "site")
    list_select_related = ("account",)
    actions = None

    @override
    def get_urls(self) -> list[URLPattern]:
        """The button's address."""
        wrap = self.admin_site.admin_view
        own = [path("<int:measure_id>/revoke/", wrap(shaping.revoke), name="delivery_measure_revoke")]
        return [*own, *super().get_urls()]

    @admin.display(description="")
    def revoke(self, measure: ShapingMeasure) -> str:
        """A button, or who revoked it."""
        if measure.revoked_at is not None:
            return "Revoked"
        if measure.until <= timezone.now():
            return "Over"
        return post_button("Revoke", "delivery_measure_revoke", measure.pk)


@admin.register(SitePace)
class SitePaceAdmin(OnlyLookedAt, PaceBase):
    """Paths that are slowed, with the reply that said so."""

    list_display = ("account", "source", "site", "factor", "changed_at", "full_at", "reply", "restore")
    list_select_related = ("account", "source")
    actions = None

    @override
    def get_urls(self) -> list[URLPattern]:
        """The button's address."""
        wrap = self.admin_site.admin_view
        own = [path("restore/<str:target>/", wrap(shaping.restore), name="delivery_pace_restore")]
        return [*own, *super().get_urls()]

    @admin.display(description="")
    def restore(self, pace: SitePace) -> str:
        """A button."""
        return post_button("Full rate", "delivery_pace_restore", pace.pk)


@admin.register(WarmUp)
class WarmUpAdmin(WarmUpBase):
    """New senders and their daily caps."""

    list_display = ("account", "source", "to_site", "started_on", "cap_today", "enabled", "stopped_reason", "go_on")
    list_select_related = ("account", "source")
    fields = (
        "account",
        "source",
        "site",
        "curve",
        "first",
        "last",
        "days",
        "started_on",
        "held_days",
        "enabled",
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

    @admin.display(description="Site", ordering="site")
    def to_site(self, warm_up: WarmUp) -> str:
        """Named even where it is every site."""
        return warm_up.site or "all sites"

    @admin.display(description="Cap today")
    def cap_today(self, warm_up: WarmUp) -> str:
        """Messages, or that it is warm."""
        cap = warm_up.cap_on(timezone.localdate())
        return "no cap any more" if cap is None else f"{cap:,}"

    @admin.display(description="")
    def go_on(self, warm_up: WarmUp) -> str:
        """A button where it was stopped."""
        return post_button("Continue", "delivery_warm_up_continue", warm_up.pk) if warm_up.stopped_at else ""
