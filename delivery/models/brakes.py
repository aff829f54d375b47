"""The automatic brake: its thresholds as data, and what it did to which campaign."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from contacts.models import Brand
from delivery.brake import BrakePolicy, Results

PERCENT = (MinValueValidator(0.0), MaxValueValidator(100.0))


class Brake(models.Model):
    """Thresholds above which a campaign pauses by itself: those of its brand, else those of all brands."""

    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: every other brand."
    )
    enabled = models.BooleanField("switched on", default=True, help_text="Off: campaigns never pause by themselves.")
    bounced = models.FloatField(
        "bounces, percent", default=2.0, validators=PERCENT, help_text="Addresses that do not exist."
    )
    complained = models.FloatField(
        "complaints, percent", default=0.3, validators=PERCENT, help_text="Readers who pressed “spam”. Gmail wants 0.1."
    )
    blocked = models.FloatField(
        "blocks, percent", default=10.0, validators=PERCENT, help_text="Refused for reputation, content or policy."
    )
    least = models.PositiveIntegerField(
        "messages before it judges", default=200, help_text="Fewer say nothing about a rate."
    )
    least_complained = models.PositiveIntegerField(
        "complaints before it judges", default=3, help_text="So that one angry reader stops no small campaign."
    )

    class Meta:
        ordering = ["brand"]
        verbose_name = "brake threshold"
        constraints = [
            # A unique column lets any number of NULLs in.
            models.UniqueConstraint(fields=["brand"], nulls_distinct=False, name="one_brake_per_brand"),
            models.CheckConstraint(
                condition=Q(bounced__range=(0, 100)) & Q(complained__range=(0, 100)) & Q(blocked__range=(0, 100)),
                name="brake_thresholds_are_percentages",
            ),
        ]

    def __str__(self) -> str:
        return f"Brake of {self.brand}" if self.brand_id else "Brake of every other brand"

    @property
    def policy(self) -> BrakePolicy | None:
        """The thresholds as the pure module takes them; None where the brake is off."""
        if not self.enabled:
            return None
        return BrakePolicy(
            bounced=self.bounced / 100,
            complained=self.complained / 100,
            blocked=self.blocked / 100,
            least=self.least,
            least_complained=self.least_complained,
        )


class Braking(models.Model):
    """One time that the brake paused a campaign; after a person resumed it, only what came since is judged."""

    campaign_id = models.BigIntegerField()
    cause = models.CharField(max_length=10, help_text="bounced, complained or blocked")
    reason = models.TextField()
    n_sent = models.IntegerField(help_text="As of the braking; from the release on, as of the release.")
    n_bounced = models.IntegerField()
    n_complained = models.IntegerField()
    n_blocked = models.IntegerField()
    braked_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, help_text="When the brake first saw that a person had resumed it.")

    class Meta:
        ordering = ["-braked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign_id"], condition=Q(released_at=None), name="a_campaign_is_braked_once_at_a_time"
            ),
        ]
        indexes = [
            # The newest of a campaign: what was acknowledged, why it stands.
            models.Index(fields=["campaign_id", "braked_at"], name="brakings_of_a_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} in campaign {self.campaign_id}"

    @property
    def results(self) -> Results:
        """What was known then."""
        return Results(self.n_sent, self.n_bounced, self.n_complained, self.n_blocked)
