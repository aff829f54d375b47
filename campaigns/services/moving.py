"""The one way a campaign changes state: a conditional update whose row count is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaigns.errors import WrongState
from campaigns.models import Campaign


def move_campaign(campaign_id: int, *, sources: Iterable[str], target: str, **fields: Any) -> bool:
    """Put the campaign into `target` if it is in one of `sources`; False means that it was not, and nothing changed."""
    movable = Campaign.objects.filter(pk=campaign_id, state__in=list(sources))
    return movable.update(state=target, **fields) == 1


def lock_draft(campaign_id: int) -> Campaign:
    """Lock the campaign's row for the running transaction, so that nobody launches it under an editor's hands.

    Raises WrongState unless it is a draft.
    """
    draft = Campaign.objects.select_for_update(of=("self",)).select_related("brand")
    campaign = draft.filter(pk=campaign_id, state=Campaign.State.DRAFT).first()
    if campaign is None:
        raise WrongState("This campaign is no longer a draft. Take it back to draft to change it.")
    return campaign
