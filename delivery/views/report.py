"""The page of a launched campaign: how it goes, what came of it, what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.charts import Chart, Series
from campaigns.models import Campaign
from campaigns.views.campaign_list import campaign_rows
from campaigns.views.pages import campaign_crumbs, render_page
from delivery import deliverability, reports
from delivery.models import Link
from delivery.services.leaving import WHYS
from delivery.site_names import provider_label
from delivery.tracking.linktable import publish_links
from delivery.tracking.views import redis
from delivery.watchdog import look_at

may_see = permission_required("campaigns.view_campaign", raise_exception=True)
may_change = permission_required("campaigns.change_campaign", raise_exception=True)
# The states that make the bar: those with something to see.
STATES = (
    ("accepted", "Accepted", "good"),
    ("pending", "Waiting", ""),
    ("claimed", "Being sent", "busy"),
    ("sending", "Handed over, no answer yet", "busy"),
    ("deferred", "Deferred", "warn"),
    ("refused", "Refused", "bad"),
    ("failed", "Failed", "bad"),
    ("uncertain", "Uncertain", "warn"),
    ("suppressed", "Suppressed meanwhile", ""),
    ("expired", "Expired", "bad"),
    ("cancelled", "Cancelled", ""),
)


def launched_campaign(campaign_id: int) -> Campaign:
    """The campaign with brand and audience; 404 for one that was not launched."""
    campaign = get_object_or_404(Campaign.objects.select_related("brand", "audience"), pk=campaign_id)
    if campaign.launched_at is None:
        raise Http404("This campaign was not sent yet.")
    return campaign


@require_GET
@may_see
def report(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The report; its moving part alone for the page's own refresh."""
    campaign = launched_campaign(campaign_id)
    if request.headers.get("HX-Request") and request.GET.get("seen", campaign.state) != campaign.state:
        return HttpResponse(headers={"HX-Refresh": "true"})  # its state and its buttons stand outside the moving part
    since = campaign.launched_at or campaign.created_at
    machines = request.GET.get("machines") == "1"
    context = _figures(campaign, since, machines) | {"machines": machines}
    if request.headers.get("HX-Request"):
        return render(request, "delivery/report_body.html", context)
    return render_page(request, "delivery/report.html", context, title=campaign.name, crumbs=campaign_crumbs())


def _figures(campaign: Campaign, since: datetime, machines: bool) -> dict[str, Any]:
    figures = reports.report_of(campaign.pk, since=since)
    live = campaign.state in Campaign.ACTIVE
    return {
        "campaign": campaign,
        "row": campaign_rows([campaign])[0],
        "audience": getattr(campaign, "audience", None),
        "report": figures,
        "states": [(name, label, tone, getattr(figures.progress, name)) for name, label, tone in STATES],
        "stats": _stats(figures, machines),
        "chart": _chart(campaign, since, machines),
        "links": reports.links_of(campaign.pk, since=since),
        "bounces": reports.bounces_of(campaign.pk, since=since),
        "deferrals": reports.deferrals_of(campaign.pk),
        "sites": [
            (provider_label(line.site), line)
            for line in deliverability.sites_of(campaign.pk, since=since, machines=machines)
        ],
        "accounts": deliverability.accounts_of(campaign.pk, since=since),
        "routes": deliverability.routes_of(campaign.pk),
        "leaving": [(str(WHYS.get(one.why, "")), one) for one in deliverability.leaving_of(campaign.pk, since=since)],
        "finding": look_at(campaign.pk) if live else None,
        "live": live or timezone.now() - since < reports.LIVELY,
    }


def _stats(figures: reports.Report, machines: bool) -> list[dict[str, Any]]:
    delivered = figures.n_delivered
    complaint_rate = figures.rate("complained", machines=True)
    bounced = figures.people("bounced", machines=True)
    bounce_rate = 100 * bounced / figures.progress.done if figures.progress.done else 0.0
    return [
        _stat("Delivered", delivered, f"{figures.progress.accepted:,} accepted", "good"),
        _stat(
            "Opened", figures.people("opened", machines=machines), f"{figures.rate('opened', machines=machines):.1f} %"
        ),
        _stat(
            "Clicked",
            figures.people("clicked", machines=machines),
            f"{figures.rate('clicked', machines=machines):.1f} %",
        ),
        _stat("Bounced", bounced, f"{bounce_rate:.1f} %", "bad" if bounce_rate > 2 else ""),
        _stat("Unsubscribed", figures.people("unsubscribed"), f"{figures.rate('unsubscribed'):.2f} %"),
        _stat(
            "Complaints",
            figures.people("complained", machines=True),
            f"{complaint_rate:.2f} % (keep under 0.1 %, never 0.3 %)",
            deliverability.complaint_tone(complaint_rate),
        ),
    ]


def _stat(label: str, number: int, rate: str, tone: str = "") -> dict[str, Any]:
    return {"label": label, "number": f"{number:,}", "rate": rate, "tone": tone}


def _chart(campaign: Campaign, since: datetime, machines: bool) -> Chart:
    until = min(timezone.now(), (campaign.finished_at or timezone.now()) + reports.LIVELY)
    points = reports.chart_of(campaign.pk, since=since, until=until, machines=machines)
    names = {"accepted": "Accepted", "opened": "Opened", "clicked": "Clicked"}
    zone = timezone.get_current_timezone()
    labels = [datetime.fromisoformat(time).astimezone(zone).strftime("%d %b %H:%M") for time in points["times"]]
    series = [Series(label, points["series"][name]) for name, label in names.items()]
    return Chart("over-time", "Accepted, opened and clicked over time", labels, series)


@require_POST
@may_change
def switch_link(_request: HttpRequest, campaign_id: int, index: int) -> HttpResponse:
    """The link leads nowhere from now on, or where it led before."""
    link = get_object_or_404(Link, campaign_id=campaign_id, index=index)
    link.disabled_at = None if link.disabled_at else timezone.now()
    link.save(update_fields=["disabled_at"])
    publish_links(redis(), campaign_id)
    return redirect("delivery-report", campaign_id)
