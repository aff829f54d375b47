"""The list of campaigns with their progress and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from campaigns.models import Campaign, Variant
from campaigns.policy import CANCELLABLE, LAUNCHED, PAUSABLE
from campaigns.queries import campaigns_for_list
from campaigns.registry import ProgressLine, delivery
from campaigns.views.pages import home_crumbs, render_page
from campaigns.views.wizard import TONES

State = Campaign.State
PAGE_SIZE = 25
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "draft": ("Drafts", (State.DRAFT,)),
    "scheduled": ("Scheduled", (State.SCHEDULED,)),
    "active": ("Under way", tuple(Campaign.ACTIVE)),
    "finished": ("Finished", (State.FINISHED, State.CANCELLED)),
}


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as lists show it: with figures once it has launched, and the moves its state allows."""

    campaign: Campaign
    variant: Variant | None
    progress: ProgressLine | None

    @property
    def tone(self) -> str:
        """The colour of the state."""
        return TONES[self.campaign.state]

    @property
    def under_way(self) -> bool:
        """Whether a progress bar makes sense."""
        return self.campaign.state in Campaign.ACTIVE

    @property
    def local_time(self) -> datetime | None:
        """When it ended, else when it is due, in the zone in which that was chosen."""
        at = self.campaign.finished_at or self.campaign.send_at
        return at.astimezone(ZoneInfo(self.campaign.timezone)) if at else None

    @property
    def n_recipients(self) -> int | None:
        """How many people it is for; None before the audience is frozen."""
        audience = getattr(self.campaign, "audience", None)
        return audience.n_total if audience else None

    @property
    def moves(self) -> dict[str, bool]:
        """Which buttons its state allows."""
        state = self.campaign.state
        return {
            "pause": state in PAUSABLE,
            "resume": state == State.PAUSED,
            "cancel": state in CANCELLABLE,
            "report": state in LAUNCHED or self.campaign.launched_at is not None,
        }


def campaign_rows(campaigns: list[Campaign]) -> list[CampaignRow]:
    """Add figures to campaigns that came with their audience and variants."""
    launched = [campaign.pk for campaign in campaigns if campaign.launched_at]
    lines = delivery().progress(launched) if launched else {}
    return [
        CampaignRow(campaign, next(iter(campaign.variants.all()), None), lines.get(campaign.pk))
        for campaign in campaigns
    ]


@require_GET
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_list(request: HttpRequest) -> HttpResponse:
    """All campaigns, newest first, by state or by words of their name or subject."""
    tab = request.GET.get("state", "")
    words = request.GET.get("q", "").strip()
    states = TABS.get(tab, TABS[""])[1]
    page = Paginator(campaigns_for_list(states=states, words=words), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = campaign_rows(list(page.object_list))
    context = {
        "rows": rows,
        "page": page,
        "tabs": [(key, title) for key, (title, _) in TABS.items()],
        "tab": tab,
        "words": words,
        "live": any(row.under_way or row.campaign.state == State.SCHEDULED for row in rows),
        "may_add": request.user.has_perm("campaigns.add_campaign"),
        "may_change": request.user.has_perm("campaigns.change_campaign"),
    }
    if request.headers.get("HX-Request"):
        return render(request, "campaigns/campaign_rows.html", context)
    return render_page(request, "campaigns/campaign_list.html", context, title="Campaigns", crumbs=home_crumbs())
