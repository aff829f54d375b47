"""Making templates and campaigns, and saving the wizard's steps; only drafts can be changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Campaign, Template, Variant
from campaigns.services.moving import lock_draft
from campaigns.starters import Design
from contacts.models import Brand, MailingList


@dataclass(frozen=True, slots=True)
class ContentDraft:
    """The content step of one variant, as its form has it."""

    subject: str
    preheader: str
    from_name: str
    from_email: str
    reply_to: str
    markup: str
    body: str
    text: str


@dataclass(frozen=True, slots=True)
class ScheduleDraft:
    """The schedule step, as its form has it; `send_at` None means as soon as it is confirmed."""

    send_at: datetime | None
    timezone: str
    route_key: str
    track_opens: bool
    track_clicks: bool
    messages_per_hour: int | None = None


def create_campaign(brand: Brand, *, name: str, by: Any, design: Design | None = None) -> Campaign:
    """A draft exists with one variant, sent from the brand's sender, in the brand's time zone."""
    with transaction.atomic():
        campaign = Campaign.objects.create(brand=brand, name=name, timezone=brand.timezone, created_by=by)
        Variant.objects.create(campaign=campaign, **asdict(design or Design()))
    return campaign


def create_template(brand: Brand, *, name: str, design: Design) -> Template:
    """A stored design exists that starts from `design`."""
    return Template.objects.create(brand=brand, name=name, **asdict(design))


def save_audience(
    campaign_id: int, *, name: str, send_to: Iterable[MailingList], exclude: Iterable[MailingList], now: datetime
) -> None:
    """The draft has this name and these lists. Raises WrongState unless it is a draft."""
    with transaction.atomic():
        campaign = lock_draft(campaign_id)
        campaign.name, campaign.updated_at = name, now
        campaign.save(update_fields=["name", "updated_at"])
        campaign.send_to.set(send_to)
        campaign.exclude.set(exclude)


def save_content(campaign_id: int, variant_id: int, draft: ContentDraft, *, now: datetime) -> None:
    """The draft's variant says this; an earlier reason for falling back to draft is forgotten.

    Raises WrongState unless the campaign is a draft.
    """
    with transaction.atomic():
        campaign = lock_draft(campaign_id)
        campaign.variants.filter(pk=variant_id).update(**asdict(draft))
        campaign.state_reason, campaign.updated_at = "", now
        campaign.save(update_fields=["state_reason", "updated_at"])


def save_schedule(campaign_id: int, draft: ScheduleDraft, *, now: datetime) -> None:
    """The draft is to be sent then and in this way. Raises WrongState unless it is a draft."""
    with transaction.atomic():
        lock_draft(campaign_id)
        Campaign.objects.filter(pk=campaign_id).update(**asdict(draft), updated_at=now)
