"""The frame of the campaign wizard: its navigation, its marks, and what every step does when it is saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from campaigns.errors import WrongState
from campaigns.funnel import Funnel
from campaigns.models import Campaign
from campaigns.readiness import LaunchProblem, Step, blocking
from campaigns.services import find_problems_of
from campaigns.views.pages import campaign_crumbs, render_page

TITLES = {
    Step.AUDIENCE: "Audience",
    Step.CONTENT: "Content",
    Step.SCHEDULE: "Schedule",
    Step.REVIEW: "Review and send",
}


# The colour of each state; the words beside it say the same.
TONES: dict[str, str] = {
    Campaign.State.DRAFT: "",
    Campaign.State.SCHEDULED: "info",
    Campaign.State.PREPARING: "busy",
    Campaign.State.SENDING: "busy",
    Campaign.State.PAUSED: "warn",
    Campaign.State.FINISHED: "good",
    Campaign.State.CANCELLED: "",
}


@dataclass(frozen=True, slots=True)
class StepLink:
    """One entry of the wizard's navigation; `mark` is done, warning or todo."""

    title: str
    url: str
    mark: str


def step_url(step: Step, campaign_id: int) -> str:
    """Return the address of a step."""
    return reverse(f"admin:campaigns_campaign_{step}", args=[campaign_id])


def step_links(campaign: Campaign, problems: list[LaunchProblem]) -> list[StepLink]:
    """Return the wizard's navigation with each step's mark; the review is done when nothing blocks."""
    return [StepLink(title, step_url(step, campaign.pk), _mark(step, problems)) for step, title in TITLES.items()]


def _mark(step: Step, problems: list[LaunchProblem]) -> str:
    if step is Step.REVIEW:
        return "todo"
    mine = [problem for problem in problems if problem.step is step]
    if any(problem.blocking for problem in mine):
        return "todo"
    return "warning" if mine else "done"


def find_campaign(campaign_id: int) -> Campaign:
    """Return the campaign with its brand. Raises Http404."""
    return get_object_or_404(Campaign.objects.select_related("brand"), pk=campaign_id)


def render_step(
    request: HttpRequest, campaign: Campaign, step: Step, context: dict[str, Any], funnel: Funnel | None = None
) -> HttpResponse:
    """Render a step with the navigation above it."""
    problems = find_problems_of(campaign, funnel=funnel, now=timezone.now())
    frame = {
        "campaign": campaign,
        "tone": TONES[campaign.state],
        "steps": step_links(campaign, problems),
        "step_title": TITLES[step],
        "problems": [problem for problem in problems if problem.step is step],
        "all_problems": problems,
        "blocked": bool(blocking(problems)),
        "step_urls": {str(name): step_url(name, campaign.pk) for name in Step},
    }
    template = f"campaigns/{step}.html"
    return render_page(request, template, {**frame, **context}, title=campaign.name, crumbs=campaign_crumbs())


def save_step(
    request: HttpRequest, campaign: Campaign, step: Step, save: Callable[[], None], following: Step
) -> HttpResponse:
    """Save a step and go where the button says: on, or stay; what is no draft any more is left alone, with a word."""
    try:
        save()
    except WrongState as error:
        messages.error(request, f"Nothing was saved. {error}")
        return redirect("admin:campaigns_campaign_change", campaign.pk)
    if request.POST.get("then") == "stay":
        messages.success(request, "Saved.")
        return redirect(step_url(step, campaign.pk))
    return redirect(step_url(following, campaign.pk))


def locked(request: HttpRequest, campaign: Campaign) -> HttpResponse | None:
    """Send everybody who wants to edit what is no draft to the campaign's page; None for a draft."""
    if campaign.state == Campaign.State.DRAFT:
        return None
    if request.method == "POST":
        messages.error(request, "Nothing was saved: the campaign is no longer a draft.")
    return redirect("admin:campaigns_campaign_change", campaign.pk)
