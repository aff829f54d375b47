"""Step 3 of the wizard: when the campaign goes out, and what is counted."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from campaigns.forms import ScheduleForm
from campaigns.models import Campaign
from campaigns.readiness import Step
from campaigns.registry import delivery
from campaigns.services import save_schedule
from campaigns.services.drafting import ScheduleDraft
from campaigns.views.pages import posted
from campaigns.views.wizard import find_campaign, locked, render_step, save_step


@permission_required("campaigns.change_campaign", raise_exception=True)
def schedule_step(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Step 3: when, and how it is counted."""
    campaign = find_campaign(campaign_id)
    if (elsewhere := locked(request, campaign)) is not None:
        return elsewhere
    routes = delivery().route_choices()
    form = ScheduleForm(posted(request), campaign=campaign, routes=routes, initial=_schedule_of(campaign))
    if request.method == "POST" and form.is_valid():
        draft, now = _draft_of(form), timezone.now()
        if form.moment and form.moment.note:
            messages.info(request, form.moment.note)
        save = partial(save_schedule, campaign.pk, draft, now=now)
        return save_step(request, campaign, Step.SCHEDULE, save, following=Step.REVIEW)
    context = {"form": form, "routes": routes}
    return render_step(request, campaign, Step.SCHEDULE, context)


def _schedule_of(campaign: Campaign) -> dict[str, Any]:
    at = campaign.send_at and campaign.send_at.astimezone(ZoneInfo(campaign.timezone))
    return {
        "when": ScheduleForm.LATER if at else ScheduleForm.NOW,
        "date": at and at.date(),
        "time": at and at.time(),
        "timezone": campaign.timezone,
        "route_key": campaign.route_key,
        "messages_per_hour": campaign.messages_per_hour,
        "track_opens": campaign.track_opens,
        "track_clicks": campaign.track_clicks,
    }


def _draft_of(form: ScheduleForm) -> ScheduleDraft:
    chosen = form.cleaned_data
    send_at: datetime | None = form.moment.at if form.moment else None
    return ScheduleDraft(
        send_at,
        chosen["timezone"],
        chosen["route_key"],
        chosen["track_opens"],
        chosen["track_clicks"],
        messages_per_hour=chosen["messages_per_hour"],
    )
