"""What the buttons of the campaign list and the report do: one POST each, then back to where it was pressed."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.errors import WrongState
from campaigns.registry import delivery
from campaigns.services import (
    cancel_campaign,
    duplicate_campaign,
    pause_campaign,
    resume_campaign,
    unschedule_campaign,
)
from campaigns.views.pages import back_to
from campaigns.views.wizard import find_campaign

may_add = permission_required("campaigns.add_campaign", raise_exception=True)
may_change = permission_required("campaigns.change_campaign", raise_exception=True)


@require_POST
@may_add
def duplicate(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A new draft like this campaign."""
    copy = duplicate_campaign(find_campaign(campaign_id).pk, by=request.user)
    messages.success(request, f"“{copy}” is a new draft.")
    return redirect("admin:campaigns_campaign_change", copy.pk)


@require_POST
@may_change
def pause(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Nothing more leaves until somebody resumes."""
    reason = f"Paused by {request.user}."
    return _move(request, campaign_id, lambda now: pause_campaign(campaign_id, reason=reason, now=now), "is paused.")


@require_POST
@may_change
def resume(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A paused campaign goes on; one that the brake holds only from its page, where the reason stands."""
    if "read" not in request.POST and delivery().brake_reason(campaign_id):
        messages.warning(request, "Please read why the brake stopped this campaign before you resume it.")
        return redirect(delivery().report_url(campaign_id))
    return _move(request, campaign_id, lambda now: resume_campaign(campaign_id, now=now), "goes on.")


@require_POST
@may_change
def cancel(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Nothing more leaves, for good."""
    return _move(request, campaign_id, lambda now: cancel_campaign(campaign_id, now=now), "is cancelled.")


@require_POST
@may_change
def unschedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A scheduled campaign is a draft again."""
    campaign = find_campaign(campaign_id)
    try:
        unschedule_campaign(campaign_id, now=timezone.now())
        messages.success(request, f"“{campaign}” is a draft again. Nothing was sent.")
    except WrongState as error:
        messages.error(request, str(error))
    return redirect("admin:campaigns_campaign_change", campaign_id)


def _move(request: HttpRequest, campaign_id: int, move: Callable[..., bool], done: str) -> HttpResponse:
    campaign = find_campaign(campaign_id)
    if move(timezone.now()):
        messages.success(request, f"“{campaign}” {done}")
    else:
        campaign.refresh_from_db()
        messages.error(request, f"“{campaign}” is {campaign.get_state_display().lower()}, so nothing was changed.")
    return redirect(back_to(request, reverse("admin:campaigns_campaign_changelist")))
