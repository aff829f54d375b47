"""Step 4 of the wizard: everything at a glance, the checklist, and the button that sends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from campaigns.errors import CampaignError, NotReady
from campaigns.forms import ConfirmForm
from campaigns.funnel import Funnel
from campaigns.models import Campaign
from campaigns.policy import needs_typed_number
from campaigns.queries import audience_rule, count_audience
from campaigns.readiness import Step
from campaigns.services import schedule_campaign
from campaigns.views.pages import posted
from campaigns.views.wizard import find_campaign, render_step


@permission_required("campaigns.view_campaign", raise_exception=True)
def review_step(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Step 4: the checklist; a POST schedules, or sends after the time to think again."""
    campaign = find_campaign(campaign_id)
    if campaign.state not in {Campaign.State.DRAFT, Campaign.State.SCHEDULED, Campaign.State.CANCELLED}:
        return redirect("admin:campaigns_campaign_change", campaign.pk)
    funnel = count_audience(audience_rule(campaign), now=timezone.now())
    form = ConfirmForm(posted(request))
    if request.method == "POST" and request.user.has_perm("campaigns.change_campaign") and form.is_valid():
        answer = _confirm(request, campaign, funnel, form)
        if answer is not None:
            return answer
    return _page(request, campaign, funnel, form)


def _confirm(request: HttpRequest, campaign: Campaign, funnel: Funnel, form: ConfirmForm) -> HttpResponse | None:
    if needs_typed_number(funnel.n_total) and form.typed_number() != funnel.n_total:
        form.add_error("number", f"Type {funnel.n_total:,} to confirm that many people.")
        return None
    now = timezone.now()
    send_at = campaign.send_at or now + timedelta(seconds=settings.UNDO_SECONDS)
    try:
        schedule_campaign(campaign.pk, send_at=send_at, timezone=campaign.timezone, by=request.user, now=now)
    except NotReady:
        messages.error(request, "The campaign cannot be sent yet: see the checklist.")
        return None
    except CampaignError as error:
        messages.error(request, str(error))
    return redirect("admin:campaigns_campaign_change", campaign.pk)


def _page(request: HttpRequest, campaign: Campaign, funnel: Funnel, form: ConfirmForm) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "form": form,
        "funnel": funnel,
        "variants": list(campaign.variants.all()),
        "send_to": list(campaign.send_to.all()),
        "exclude": list(campaign.exclude.all()),
        "local_time": campaign.send_at and campaign.send_at.astimezone(ZoneInfo(campaign.timezone)),
        "typed": needs_typed_number(funnel.n_total),
        "seconds_left": seconds_until(campaign.send_at, now),
        "undo_seconds": settings.UNDO_SECONDS,
    }
    return render_step(request, campaign, Step.REVIEW, context, funnel)


def seconds_until(send_at: datetime | None, now: datetime) -> int | None:
    """Return the whole seconds left, for a countdown; None where the time is more than two minutes off or unset."""
    left = (send_at - now).total_seconds() if send_at else None
    return None if left is None or left > 120 else max(0, round(left))
