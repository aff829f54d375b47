"""The moment a campaign's time has come: content and identity are frozen, and the row waits for the planner."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from campaigns.compiling import compile_variant
from campaigns.content.problems import ContentError
from campaigns.identity import freeze_identity
from campaigns.models import Campaign, FrozenContent
from campaigns.queries import due_campaign_ids
from campaigns.services.moving import move_campaign

State = Campaign.State


def launch_due_campaigns(*, now: datetime) -> int:
    """Launch what is due and return how many launched; campaigns that another tick holds are left to it."""
    return sum(launch_campaign(campaign_id, now=now) for campaign_id in due_campaign_ids(now))


def launch_campaign(campaign_id: int, *, now: datetime) -> bool:
    """A scheduled campaign whose time has come is preparing, its content frozen; False if it was not, or is held.

    If the content no longer compiles, the campaign is a draft again, with the reason in words.
    """
    with transaction.atomic():
        campaign = _lock_due(campaign_id, now)
        if campaign is None:
            return False
        try:
            contents = _freeze(campaign)
        except ContentError as error:
            reason = f"It could not be sent: {error}"
            move_campaign(campaign_id, sources=[State.SCHEDULED], target=State.DRAFT, state_reason=reason)
            return False
        FrozenContent.objects.bulk_create(contents)
        return move_campaign(campaign_id, sources=[State.SCHEDULED], target=State.PREPARING, launched_at=now)


def _lock_due(campaign_id: int, now: datetime) -> Campaign | None:
    due = Campaign.objects.select_for_update(skip_locked=True, of=("self",)).select_related("brand")
    return due.filter(pk=campaign_id, state=State.SCHEDULED, send_at__lte=now).first()


def _freeze(campaign: Campaign) -> list[FrozenContent]:
    lists = list(campaign.send_to.all())
    frozen: list[FrozenContent] = []
    n_links = 0
    for variant in campaign.variants.all():
        content = compile_variant(variant, first_link=n_links, honeypot=campaign.track_clicks)
        n_links += len(content.links)
        identity = freeze_identity(campaign, variant, lists=lists, default_origin=settings.PUBLIC_ORIGIN)
        frozen.append(
            FrozenContent(campaign=campaign, variant=variant, content=content.as_dict(), identity=dict(identity))
        )
    return frozen
