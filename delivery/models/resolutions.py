"""What became of uncertain messages, and who said so."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Resolution(models.Model):
    """One uncertain attempt that was settled, by a person's decision or by a later event; append-only."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        SENT_AGAIN = "sent_again", "Sent again"

    class Source(models.TextChoices):
        PERSON = "person", "Person"
        EVENT = "event", "Event"

    campaign_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    batch_id = models.BigIntegerField()
    position = models.SmallIntegerField()
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    source = models.CharField(max_length=6, choices=Source.choices)
    # History outlives the account: said_by keeps the name.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    said_by = models.CharField(max_length=150, help_text="The person's name, or the kind of event.")
    resolved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch_id", "position"], name="one_resolution_per_attempt"),
        ]
        indexes = [
            # A recipient's log, and what was settled of a campaign.
            models.Index(fields=["campaign_id", "contact_id"], name="resolutions_of_a_message"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.contact_id}: {self.verdict}"
