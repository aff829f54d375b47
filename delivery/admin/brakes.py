"""The thresholds of the automatic brake."""

from __future__ import annotations

from django.contrib import admin

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from delivery.models import Brake


@admin.register(Brake)
class BrakeAdmin(Admin[Brake]):
    """One row per brand, or one for all; without a row the shipped thresholds hold."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "A campaign pauses by itself when too many addresses bounce, too many readers complain, or too many servers"
        " block it; its page tells why, and a person resumes it. Without a row here: 2 % bounces, 0.3 % complaints,"
        " 10 % blocks, judged from 200 messages on."
    )
    empty_text = "The shipped thresholds hold for every brand. Add a row to change them."
    list_display = ("of_brand", "enabled", "bounces", "complaints", "blocks", "least")
    list_select_related = ("brand",)
    sortable_by = ()
    actions = None
    fieldsets = (
        (None, {"fields": ("brand", "enabled")}),
        ("Pause above", {"fields": ("bounced", "complained", "blocked")}),
        ("But not before", {"fields": ("least", "least_complained")}),
    )

    @admin.display(description="Brand")
    def of_brand(self, brake: Brake) -> str:
        """Named even where it is every other one."""
        return str(brake.brand or "every other brand")

    @admin.display(description="Bounces")
    def bounces(self, brake: Brake) -> str:
        """In percent."""
        return f"{brake.bounced:g} %"

    @admin.display(description="Complaints")
    def complaints(self, brake: Brake) -> str:
        """In percent."""
        return f"{brake.complained:g} %"

    @admin.display(description="Blocks")
    def blocks(self, brake: Brake) -> str:
        """In percent."""
        return f"{brake.blocked:g} %"
