"""Messages that came back softly for good, by contact: what the escalation of soft bounces counts."""

from __future__ import annotations

from django.db import models


class SoftBounce(models.Model):
    """One message that was given up though its address may exist; several reports on it are one row."""

    contact_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    category = models.CharField(max_length=30)
    bounced_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Contact first: the policy reads one contact's rows.
            models.UniqueConstraint(fields=["contact_id", "campaign_id"], name="one_soft_bounce_per_message"),
        ]
        indexes = [
            # The sweeper, which forgets rows older than any policy's window.
            models.Index(fields=["bounced_at"], name="soft_bounces_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.category} of {self.campaign_id}/{self.contact_id}"
