"""Warming up new senders: a daily cap per account or source address and site that rises along a curve."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q

from delivery import warmup

from .accounts import ProviderAccount, SourceAddress


class WarmUp(models.Model):
    """One source on its way up; what it may not take goes to warm members of the route."""

    class Curve(models.TextChoices):
        GEOMETRIC = "geometric", "The same factor more every day"
        DEDICATED_IP = "dedicated_ip", "A new dedicated address: 50 on the first day, a million on the 21st"

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="warm_ups")
    source = models.ForeignKey(
        SourceAddress,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="warm_ups",
        help_text="Empty: the account as a whole.",
    )
    site = models.CharField(max_length=100, blank=True, help_text="google, yahoo, ... Empty: all recipients together.")
    curve = models.CharField(max_length=12, choices=Curve.choices, default=Curve.GEOMETRIC)
    first = models.PositiveIntegerField(default=200, help_text="Messages on the first day.")
    last = models.PositiveIntegerField(default=200_000, help_text="Messages on the last day; no cap from then on.")
    days = models.PositiveSmallIntegerField(default=42)
    started_on = models.DateField(help_text="The first day, in the account's zone.")
    held_days = models.PositiveSmallIntegerField(default=0, help_text="Days on which the cap did not rise.")
    last_sent_on = models.DateField(null=True, blank=True, editable=False)
    judged_on = models.DateField(null=True, editable=False, help_text="The last day whose results were judged.")
    note = models.CharField(max_length=300, blank=True, editable=False, help_text="Why the cap was held.")
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_reason = models.CharField(max_length=300, blank=True, editable=False)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["account", "source", "site"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source", "site"], name="one_warm_up_per_source_and_site", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(first__gte=1) & Q(last__gte=models.F("first")) & Q(days__gte=2), name="a_warm_up_rises"
            ),
        ]

    @property
    def caps(self) -> warmup.Curve:
        """The cap of each day."""
        if self.curve == self.Curve.DEDICATED_IP:
            return warmup.DEDICATED_IP
        return warmup.GeometricCurve(self.first, self.last, self.days)

    def cap_on(self, today: date) -> int | None:
        """Messages that it may take that day; 0 while it is stopped, None: no cap any more."""
        if self.stopped_at is not None:
            return 0
        return self.caps.cap(warmup.day_of(warmup.Warmth(self.started_on, self.last_sent_on, self.held_days), today))

    def __str__(self) -> str:
        return f"{self.source or self.account} to {self.site or 'all sites'}"
