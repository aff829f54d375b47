"""Step 1 of the wizard: who receives the campaign."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from campaigns.forms import AudienceForm
from campaigns.funnel import Funnel
from campaigns.queries import AudienceRule, audience_rule, count_audience, lists_with_counts
from campaigns.readiness import Step
from campaigns.services import save_audience
from campaigns.views.pages import posted
from campaigns.views.wizard import find_campaign, locked, render_step, save_step


@permission_required("campaigns.change_campaign", raise_exception=True)
def audience_step(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Step 1: who receives it."""
    campaign = find_campaign(campaign_id)
    if (elsewhere := locked(request, campaign)) is not None:
        return elsewhere
    rule, now = audience_rule(campaign), timezone.now()
    chosen = {"name": campaign.name, "send_to": rule.send_to, "exclude": rule.exclude}
    form = AudienceForm(posted(request), brand=campaign.brand, initial=chosen)
    if request.method == "POST" and form.is_valid():
        save = partial(save_audience, campaign.pk, **form.cleaned_data, now=now)
        return save_step(request, campaign, Step.AUDIENCE, save, following=Step.CONTENT)
    funnel = count_audience(rule, now=now)
    context = {
        "form": form,
        "funnel": funnel,
        "lists": list(lists_with_counts(campaign.brand)),
        "send_to": _chosen(form, "send_to"),
        "exclude": _chosen(form, "exclude"),
        "count_url": reverse("admin:campaigns_campaign_count", args=[campaign.pk]),
    }
    return render_step(request, campaign, Step.AUDIENCE, context, funnel)


def _chosen(form: AudienceForm, name: str) -> set[int]:
    return {int(pk) for pk in form[name].value() or [] if str(pk).isdecimal()}


@require_GET
@permission_required("campaigns.view_campaign", raise_exception=True)
def audience_count(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The funnel of the lists ticked at this moment, as a fragment; nothing is saved."""
    campaign = find_campaign(campaign_id)
    data = request.GET.copy()
    data["name"] = campaign.name
    form = AudienceForm(data, brand=campaign.brand)
    funnel = Funnel()
    if form.is_valid():
        send_to = tuple(one.pk for one in form.cleaned_data["send_to"])
        exclude = tuple(one.pk for one in form.cleaned_data["exclude"])
        funnel = count_audience(AudienceRule(campaign.brand_id, send_to, exclude), now=timezone.now())
    return render(request, "campaigns/audience_funnel.html", {"funnel": funnel})
