"""From a campaign's frozen content to the builder of its messages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.content.source import Content
from campaigns.models import Campaign, FrozenContent
from delivery.mime import Identity, MessageBuilder
from delivery.sending.signing import signer_for
from delivery.tracking.tokens import derive_key


def builder_for(frozen: FrozenContent) -> MessageBuilder:
    """The builder of one variant's messages, signed where the From domain has keys; it takes some 20 ms, so keep it."""
    stored = dict(frozen.identity)
    constants = {"brand": stored.pop("brand"), "campaign": stored.pop("campaign"), "now": _now(frozen.campaign)}
    identity = Identity(
        **stored,
        unsubscribe_mailbox_domain=stored["bounce_domain"],
        track_opens=frozen.campaign.track_opens,
        track_clicks=frozen.campaign.track_clicks,
    )
    builder = MessageBuilder(
        Content.from_dict(frozen.content),
        identity,
        constants=constants,
        link_secret=derive_key(settings.SECRET_KEY, b"dynamic link v1"),
        campaign_id=frozen.campaign_id,
    )
    builder.sign_with(signer_for(builder.from_domain))
    return builder


def _now(campaign: Campaign) -> datetime:
    """What "now" means in templates: the launch, in the campaign's zone; for a test message the last change."""
    return (campaign.launched_at or campaign.updated_at).astimezone(ZoneInfo(campaign.timezone))
