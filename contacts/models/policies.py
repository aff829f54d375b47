"""The suppression policy as rows: one for all brands, and one for each brand that wants another."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from contacts.suppression_policy import ROLE_NAMES, Policy

from .brand import Brand


def usual_role_names() -> str:
    """One a line."""
    return "\n".join(ROLE_NAMES)


class SuppressionPolicy(models.Model):
    """What leads to a suppression, and where it holds."""

    class Scope(models.TextChoices):
        EVERYWHERE = "everywhere", "All brands"
        BRAND = "brand", "The brand that sent the message"
        LIST = "list", "The lists that the campaign went to"

    brand = models.ForeignKey(
        Brand,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: for every brand without a policy of its own.",
    )
    hard_scope = models.CharField(
        "after a hard bounce, no mail from",
        max_length=10,
        choices=Scope.choices,
        default=Scope.EVERYWHERE,
        help_text="At once. The mailbox does not exist: no brand can reach it.",
    )
    complaint_scope = models.CharField(
        "after a complaint, no mail from",
        max_length=10,
        choices=Scope.choices,
        default=Scope.EVERYWHERE,
        help_text="At once. The reader pressed “this is spam”.",
    )
    soft_scope = models.CharField(
        "after repeated soft bounces, no mail from", max_length=10, choices=Scope.choices, default=Scope.EVERYWHERE
    )
    soft_count = models.PositiveSmallIntegerField(
        "soft bounces that are too many", default=5, help_text="Messages given up, as for a full mailbox. 0: never."
    )
    soft_span_days = models.PositiveSmallIntegerField(
        "over at least (days)", default=14, help_text="So that one bad week does not end a subscription."
    )
    soft_window_days = models.PositiveSmallIntegerField(
        "and within (days)", default=180, validators=[MinValueValidator(1)], help_text="Older bounces are forgotten."
    )
    soft_expiry_days = models.PositiveSmallIntegerField(
        "suppressed for (days)", default=90, validators=[MinValueValidator(1)], help_text="Then it is tried again."
    )
    role_names = models.TextField(
        "role accounts",
        blank=True,
        default=usual_role_names,
        help_text="What stands before the @, one a line: nobody at abuse@ subscribed. Suppressed before a campaign is"
        " sent, unless a person lifted it.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "suppression policies"
        constraints = [
            models.UniqueConstraint(fields=["brand"], nulls_distinct=False, name="one_suppression_policy_per_brand"),
            models.CheckConstraint(
                condition=Q(soft_window_days__gte=F("soft_span_days")), name="soft_bounces_fit_their_window"
            ),
        ]

    def __str__(self) -> str:
        return str(self.brand or "All brands")

    @property
    def values(self) -> Policy:
        """The decisions' input."""
        return Policy(
            hard_scope=self.hard_scope,  # type: ignore[arg-type]  # the choices are the literal's words
            complaint_scope=self.complaint_scope,  # type: ignore[arg-type]
            soft_scope=self.soft_scope,  # type: ignore[arg-type]
            soft_count=self.soft_count,
            soft_span_days=self.soft_span_days,
            soft_window_days=self.soft_window_days,
            soft_expiry_days=self.soft_expiry_days,
        )

    @property
    def roles(self) -> list[str]:
        """The role names in small letters."""
        return sorted({name.strip().lower().rstrip("@") for name in self.role_names.splitlines()} - {""})
