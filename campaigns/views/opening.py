"""The way into a campaign: a new one, and the page that fits its state."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from campaigns.forms import NewCampaignForm
from campaigns.models import Campaign
from campaigns.readiness import Step
from campaigns.registry import delivery
from campaigns.services import create_campaign, find_problems_of
from campaigns.starters import find_design
from campaigns.views.designs import design_choices
from campaigns.views.pages import campaign_crumbs, posted, render_page
from campaigns.views.wizard import find_campaign, step_url
from contacts.models import Brand


@permission_required("campaigns.view_campaign", raise_exception=True)
def open_campaign(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Lead to the page that fits the state: the first step that needs work, the review, or the report."""
    campaign = find_campaign(campaign_id)
    if "HX-Request" in request.headers:
        return _has_left(campaign)
    if campaign.state == Campaign.State.SCHEDULED or (campaign.state == "cancelled" and not campaign.launched_at):
        return redirect(step_url(Step.REVIEW, campaign.pk))
    if campaign.state != Campaign.State.DRAFT:
        return redirect(delivery().report_url(campaign.pk))
    problems = find_problems_of(campaign, funnel=None, now=timezone.now())
    return redirect(step_url(next((p.step for p in problems if p.blocking), Step.REVIEW), campaign.pk))


def _has_left(campaign: Campaign) -> HttpResponse:
    """What the page of a scheduled campaign asks now and then: nothing to say, or to load itself again."""
    if campaign.state == Campaign.State.SCHEDULED:
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


@permission_required("campaigns.add_campaign", raise_exception=True)
def new_campaign(request: HttpRequest) -> HttpResponse:
    """A new draft from a name, a brand and a design."""
    if not Brand.objects.exists():
        messages.info(request, "A campaign is sent by a brand. Set up your brand first.")
        return redirect("admin:contacts_brand_add")
    form = NewCampaignForm(posted(request), initial={"start": request.GET.get("start", "")})
    if request.method == "POST" and form.is_valid():
        brand = form.cleaned_data["brand"]
        design = find_design(form.cleaned_data["start"], brand)
        campaign = create_campaign(brand, name=form.cleaned_data["name"], by=request.user, design=design)
        return redirect(step_url(Step.AUDIENCE, campaign.pk))
    context = {
        "form": form,
        "one_brand": Brand.objects.count() == 1,
        "choices": design_choices(chosen=request.POST.get("start") or request.GET.get("start", "")),
    }
    return render_page(request, "campaigns/campaign_new.html", context, title="New campaign", crumbs=campaign_crumbs())
