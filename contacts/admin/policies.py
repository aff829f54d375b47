"""The suppression policy in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from contacts.models import SuppressionPolicy


@admin.register(SuppressionPolicy)
class SuppressionPolicyAdmin(Admin[SuppressionPolicy]):
    """What leads to a suppression: for all brands, and for brands that want another policy."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "What ends mail to an address without anybody doing anything. Refusals of our own making (blocks, content,"
        " reputation) never do. A brand without a policy of its own follows the one for all brands.",
        "admin:contacts_suppression_changelist",
        "See suppressions",
    )
    list_display = ("__str__", "hard", "complaint", "soft")
    list_select_related = ("brand",)
    list_display_links = ("__str__",)
    sortable_by = ()
    actions = None
    fieldsets = (
        (None, {"fields": ("brand",)}),
        ("At once", {"fields": ("hard_scope", "complaint_scope")}),
        (
            "After repeated soft bounces",
            {
                "description": "Counted while nothing arrives, is opened or clicked; a sign of life begins anew.",
                "fields": ("soft_count", "soft_span_days", "soft_window_days", "soft_expiry_days", "soft_scope"),
            },
        ),
        ("Role accounts", {"fields": ("role_names",)}),
    )

    @admin.display(description="Hard bounce: no mail from")
    def hard(self, policy: SuppressionPolicy) -> str:
        """Where a hard bounce holds."""
        return policy.get_hard_scope_display()

    @admin.display(description="Complaint: no mail from")
    def complaint(self, policy: SuppressionPolicy) -> str:
        """Where a complaint holds."""
        return policy.get_complaint_scope_display()

    @admin.display(description="Soft bounces")
    def soft(self, policy: SuppressionPolicy) -> str:
        """The rule in words."""
        if not policy.soft_count:
            return "Never"
        return f"{policy.soft_count} over {policy.soft_span_days} days: {policy.soft_expiry_days} days without mail"

    @override
    def has_delete_permission(self, request: HttpRequest, obj: SuppressionPolicy | None = None) -> bool:
        """The policy for all brands stays."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.brand_id is not None)
