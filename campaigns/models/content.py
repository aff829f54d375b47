"""Content compiled once at launch, with Liquid still in it; nothing here is per recipient."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from .campaign import Campaign, Variant


class FrozenContent(models.Model):
    """What a variant said at launch; `links` is the campaign's link table in order of index."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="contents")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    content = models.JSONField(help_text="campaigns.content.Content as JSON.")
    identity = models.JSONField(help_text="Sender identity as frozen at launch.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "variant"], name="one_frozen_content_per_variant"),
        ]

    def __str__(self) -> str:
        return f"content of {self.campaign_id}/{self.variant_id}"
