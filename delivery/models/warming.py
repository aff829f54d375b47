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
        GEOMETRIC = "geometric", "A steady rise: the same factor more every day"
        DEDICATED_IP = "dedicated_ip", "The table for a new dedicated address: 50 on day 1, a million on day 21"

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="warm_ups")
    source = models.ForeignKey(
        SourceAddress,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="warm_ups",
        verbose_name="source address",
        help_text="Empty: the account as a whole.",
    )
    site = models.CharField(
        "recipient site",
        max_length=100,
        blank=True,
        help_text="As Delivery health names it: google, yahoo, a domain. Empty: all recipients together.",
    )
    curve = models.CharField("how the cap rises", max_length=12, choices=Curve.choices, default=Curve.GEOMETRIC)
    first = models.PositiveIntegerField(
        "messages on the first day", default=200, help_text="Only for a steady rise; the table has its own."
    )
    last = models.PositiveIntegerField(
        "messages on the last day", default=200_000, help_text="Only for a steady rise. No cap from then on."
    )
    days = models.PositiveSmallIntegerField(
        "days from first to last", default=42, help_text="Only for a steady rise. Six weeks are usual."
    )
    started_on = models.DateField("first day", help_text="In the account's time zone.")
    held_days = models.PositiveSmallIntegerField(
        "days without a rise",
        default=0,
        help_text="Counted by itself while too many readers complain. Each moves the curve back by a day.",
    )
    last_sent_on = models.DateField(null=True, blank=True, editable=False)
    judged_on = models.DateField(null=True, editable=False, help_text="The last day whose results were judged.")
    note = models.CharField(max_length=300, blank=True, editable=False, help_text="Why the cap was held.")
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_reason = models.CharField(max_length=300, blank=True, editable=False)
    enabled = models.BooleanField("switched on", default=True, help_text="Off: no cap, mail goes at full volume.")

    class Meta:
        ordering = ["account", "source", "site"]
        verbose_name = "warm-up"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source", "site"], name="one_warm_up_per_source_and_site", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(first__gte=1) & Q(last__gte=models.F("first")) & Q(days__gte=2),
                name="a_warm_up_rises",
                violation_error_message="A warm-up takes at least two days and ends no lower than it began.",
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

    def day_in_words(self, today: date) -> str:
        """Where it stands on its curve."""
        n_days = len(warmup.DEDICATED_IP.caps) if self.curve == self.Curve.DEDICATED_IP else self.days
        day = warmup.day_of(warmup.Warmth(self.started_on, self.last_sent_on, self.held_days), today)
        if today < self.started_on:
            return f"begins on {self.started_on:%-d %B}"
        return f"{min(day + 1, n_days)} of {n_days}"

    def __str__(self) -> str:
        return f"{self.source or self.account} to {self.site or 'all sites'}"
