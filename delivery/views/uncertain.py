"""A campaign's uncertain messages: what they are, and what a person can decide about them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns.models import Campaign
from campaigns.views.pages import campaign_crumbs, posted, render_page
from delivery.models import Resolution
from delivery.queries import find_uncertain
from delivery.recipients import report_address
from delivery.services import uncertain
from delivery.views.recipients import may_see
from delivery.views.report import launched_campaign

may_decide = permission_required(("campaigns.change_campaign", "contacts.view_contact"), raise_exception=True)
PAGE_SIZE = 50


@require_GET
@may_see
def uncertain_list(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """What is uncertain, why, and what can be done; below, what was settled and by whom."""
    campaign = launched_campaign(campaign_id)
    after = request.GET.get("after", "")
    lines = find_uncertain(campaign.pk, after=int(after) if after.isdigit() else 0, limit=PAGE_SIZE + 1)
    context = {
        "lines": lines[:PAGE_SIZE],
        "next_after": lines[PAGE_SIZE - 1].contact_id if len(lines) > PAGE_SIZE else None,
        "n_uncertain": len(find_uncertain(campaign.pk)),
        "why_not_again": uncertain.why_not_again(campaign, now=timezone.now()),
        "settled": Resolution.objects.filter(campaign_id=campaign.pk).order_by("-resolved_at", "-pk")[:PAGE_SIZE],
    }
    return _page(request, campaign, "delivery/uncertain.html", context, "Uncertain messages")


@require_POST
@may_decide
def accept(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """One message, or all uncertain ones, count as accepted."""
    campaign = launched_campaign(campaign_id)
    n = uncertain.accept_uncertain(
        campaign.pk, contact_id=_contact(request.POST), by=cast("User", request.user), now=timezone.now()
    )
    _tell(request, n, "counts as accepted now.", "count as accepted now.")
    return redirect("delivery-uncertain", campaign.pk)


@require_http_methods(["GET", "POST"])
@may_decide
def send_again(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """First says what may happen; sends only after that was confirmed."""
    campaign = launched_campaign(campaign_id)
    answers = posted(request)
    contact_id = _contact(request.GET if answers is None else answers)
    found = find_uncertain(campaign.pk, contact_id=contact_id)
    problem = uncertain.why_not_again(campaign, now=timezone.now())
    if answers is not None and not problem and answers.get("confirmed") == "on":
        n = uncertain.send_uncertain_again(
            campaign.pk, contact_id=contact_id, by=cast("User", request.user), now=timezone.now()
        )
        _tell(request, n, "will be sent again within a minute.", "will be sent again within a minute.")
        return redirect("delivery-uncertain", campaign.pk)
    context = {
        "n_uncertain": len(found),
        "line": found[0] if contact_id is not None and found else None,
        "contact_id": contact_id,
        "why_not_again": problem,
        "unconfirmed": answers is not None,
    }
    return _page(request, campaign, "delivery/uncertain_again.html", context, "Send again?")


def _contact(values: QueryDict) -> int | None:
    """The contact that a form or an address names; none means all."""
    text = values.get("contact", "")
    return int(text) if text.isdigit() else None


def _tell(request: HttpRequest, n: int, one: str, many: str) -> None:
    if n:
        messages.success(request, f"{n:,} {f'message {one}' if n == 1 else f'messages {many}'}")
    else:
        messages.info(request, "Nothing was changed: it was settled meanwhile.")


def _page(request: HttpRequest, campaign: Campaign, template: str, context: dict[str, Any], title: str) -> HttpResponse:
    crumbs = [*campaign_crumbs(), (campaign.name, report_address(campaign.pk))]
    status = 400 if context.get("unconfirmed") else 200
    return render_page(request, template, {"campaign": campaign, **context}, title=title, crumbs=crumbs, status=status)
