"""What recipient sites accept and what their words lead to: site profiles and shaping rules, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from delivery.models import ShapingRule, SiteProfile
from delivery.shaping.rules import span

if TYPE_CHECKING:
    RuleFormBase = forms.ModelForm[ShapingRule]
else:
    RuleFormBase = forms.ModelForm

ONE_LINE: Mapping[type[Field[Any, Any]], Mapping[str, Any]] = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}


@admin.register(SiteProfile)
class SiteProfileAdmin(Admin[SiteProfile]):
    """What each recipient site accepts."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "How much mail a recipient site (Gmail, Yahoo, a company’s own server) takes from each account or"
        " source address. Connection figures count where an account talks to the site’s own servers, without a relay.",
        "delivery-health",
        "See what holds now",
    )
    list_display = ("name", "per_second", "per_hour", "per_day", "at_once", "per_connection", "tls")
    search_fields = ("site",)
    sortable_by = ()
    list_fullwidth = True
    formfield_overrides = ONE_LINE
    fieldsets = (
        (
            None,
            {
                "description": "Workers notice a change within a second.",
                "fields": ("site", "messages_per_second", "messages_per_hour", "messages_per_day", "note"),
            },
        ),
        (
            "Connections to the site’s own servers",
            {
                "description": "A relay or provider between you and the site makes its own connections: then only the"
                " limits of messages above hold.",
                "fields": ("connections", "connections_per_minute", "messages_per_connection", "tls", "idle_s"),
            },
        ),
        ("Which domains belong to it", {"fields": ("mx_suffixes",)}),
    )
    actions = None

    @admin.display(description="Site")
    def name(self, profile: SiteProfile) -> str:
        """The default row has a name too."""
        return str(profile)

    @admin.display(description="Per second")
    def per_second(self, profile: SiteProfile) -> str:
        """Messages."""
        return _count(profile.messages_per_second)

    @admin.display(description="Per hour")
    def per_hour(self, profile: SiteProfile) -> str:
        """Messages."""
        return _count(profile.messages_per_hour)

    @admin.display(description="Per day")
    def per_day(self, profile: SiteProfile) -> str:
        """Messages."""
        return _count(profile.messages_per_day)

    @admin.display(description="Connections")
    def at_once(self, profile: SiteProfile) -> int:
        """At once."""
        return profile.connections

    @admin.display(description="Messages on each")
    def per_connection(self, profile: SiteProfile) -> int:
        """Before a new connection is opened."""
        return profile.messages_per_connection


def _count(limit: float | None) -> str:
    return "no limit" if limit is None else f"{limit:,g}"


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
class ShapingRuleAdmin(Admin[ShapingRule]):
    """What a server's words do."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "What happens when a server says certain words: sending to it is suspended or slowed for a while. Each time"
        " that a rule acts, there is a measure with the reply that caused it.",
        "admin:delivery_shapingmeasure_changelist",
        "See measures",
    )
    form = RuleForm
    list_display = ("key", "pattern", "how_often", "from_sites", "effect", "enabled")
    list_filter = ("enabled", "reach")
    search_fields = ("key", "pattern")
    sortable_by = ()
    formfield_overrides = ONE_LINE
    fieldsets = (
        ("When a server says", {"fields": ("key", "pattern", "sites", "n_per_hour")}),
        (
            "Then",
            {
                "description": "At least one of these. Where several rules hold at once, the strictest counts.",
                "fields": ("suspend", "messages_per_minute", "connections", "messages_per_connection"),
            },
        ),
        ("For what and for how long", {"fields": ("reach", "minutes")}),
        (None, {"fields": ("enabled", "note")}),
    )
    actions = None

    @admin.display(description="How often")
    def how_often(self, rule: ShapingRule) -> str:
        """It must be heard."""
        return f"{rule.n_per_hour} times an hour" if rule.n_per_hour > 1 else "once"

    @admin.display(description="Site")
    def from_sites(self, rule: ShapingRule) -> str:
        """Names with commas."""
        return ", ".join(rule.sites) or "any"

    @admin.display(description="Then")
    def effect(self, rule: ShapingRule) -> str:
        """All effects in words, and how long they hold."""
        return f"{'; '.join(effect.in_words for effect in rule.effects)} for {span(rule.minutes)}"
