"""A new draft from an old campaign."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from campaigns.models import Campaign, Variant

CARRIED = (
    "brand_id",
    "route_key",
    "weight",
    "messages_per_hour",
    "track_opens",
    "track_clicks",
    "timezone",
    "expire_hours",
)
CONTENT = (
    "name",
    "share",
    "subject",
    "preheader",
    "from_name",
    "from_email",
    "reply_to",
    "markup",
    "body",
    "text",
)


def duplicate_campaign(campaign_id: int, *, by: Any) -> Campaign:
    """A draft exists with the same lists and contents, under the name "Copy of …", with no time set.

    Raises Campaign.DoesNotExist.
    """
    with transaction.atomic():
        old = Campaign.objects.get(pk=campaign_id)
        carried = {field: getattr(old, field) for field in CARRIED}
        new = Campaign.objects.create(name=f"Copy of {old.name}"[:150], created_by=by, **carried)
        new.send_to.set(old.send_to.all())
        new.exclude.set(old.exclude.all())
        Variant.objects.bulk_create(
            Variant(campaign=new, **{field: getattr(variant, field) for field in CONTENT})
            for variant in old.variants.all()
        )
    return new
