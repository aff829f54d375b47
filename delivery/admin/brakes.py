"""The thresholds of the automatic brake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from delivery.models import Brake

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin

    BrakeBase = ModelAdmin[Brake]
else:
    from unfold.admin import ModelAdmin

    BrakeBase = ModelAdmin


@admin.register(Brake)
class BrakeAdmin(BrakeBase):
    """One row per brand, or one for all; without a row the shipped thresholds hold."""

    list_display = ("__str__", "enabled", "bounced", "complained", "blocked", "least")
    list_select_related = ("brand",)
    actions = None
