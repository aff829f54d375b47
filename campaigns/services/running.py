"""From preparing to the end: what planner, senders and people do to a launched campaign."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from campaigns import policy
from campaigns.funnel import Funnel
from campaigns.models import Audience, Campaign
from campaigns.services.moving import move_campaign

State = Campaign.State


def start_sending(campaign_id: int, *, funnel: Funnel, now: datetime) -> bool:
    """The audience is frozen and recorded, and the campaign sends; False if it is not preparing (any more)."""
    with transaction.atomic():
        if not move_campaign(campaign_id, sources=[State.PREPARING], target=State.SENDING, started_at=now):
            return False
        Audience.objects.create(campaign_id=campaign_id, frozen_at=now, **asdict(funnel))
        return True


def pause_campaign(campaign_id: int, *, reason: str, now: datetime) -> bool:
    """Nothing more is planned or claimed until somebody resumes; `reason` is shown to people."""
    return move_campaign(campaign_id, sources=policy.PAUSABLE, target=State.PAUSED, state_reason=reason, updated_at=now)


def resume_campaign(campaign_id: int, *, now: datetime) -> bool:
    """A paused campaign goes on where it stood: sending if its audience is frozen, else preparing."""
    paused = Campaign.objects.filter(pk=campaign_id, state=State.PAUSED)
    for frozen, target in ((True, State.SENDING), (False, State.PREPARING)):
        if paused.filter(audience__isnull=not frozen).update(state=target, state_reason="", updated_at=now):
            return True
    return False


def cancel_campaign(campaign_id: int, *, now: datetime) -> bool:
    """Nothing more leaves, for good; what has left stays on record."""
    return move_campaign(campaign_id, sources=policy.CANCELLABLE, target=State.CANCELLED, finished_at=now)


def reopen_campaign(campaign_id: int, *, now: datetime) -> bool:
    """A finished campaign sends again, for messages that go back to waiting; it finishes again by itself."""
    fields = {"finished_at": None, "updated_at": now}
    return move_campaign(campaign_id, sources=[State.FINISHED], target=State.SENDING, **fields)


def finish_campaign(campaign_id: int, *, now: datetime) -> bool:
    """Every message has its end; called by whoever counts them."""
    return move_campaign(campaign_id, sources=[State.SENDING], target=State.FINISHED, finished_at=now)
