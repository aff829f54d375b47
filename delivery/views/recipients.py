"""Who got a campaign, one by one: found by state or address, each with what happened; and all of it as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from campaigns.views.pages import campaign_crumbs, render_page
from delivery import recipients
from delivery.queries import find_uncertain
from delivery.views.report import launched_campaign

may_see = permission_required("contacts.view_contact", raise_exception=True)
PAGE_SIZE = 50
HEADER = ["address", "state", "code", "enhanced", "reply", "at", "opened", "clicked", "unsubscribed"]
HEADER += ["machine_opens", "machine_clicks"]


@require_GET
@may_see
def recipient_list(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A page of recipients by key, never by offset."""
    campaign = launched_campaign(campaign_id)
    state = request.GET.get("state", "")
    state = "waiting" if state in recipients.WAITING else state
    words = request.GET.get("q", "").strip()
    after = request.GET.get("after", "")
    wanted = recipients.Wanted(
        campaign.pk, state=state, words=words, after=int(after) if after.isdecimal() and len(after) < 19 else 0
    )
    lines = recipients.find_recipients(wanted, limit=PAGE_SIZE + 1)
    context = {
        "campaign": campaign,
        "lines": lines[:PAGE_SIZE],
        "next_after": lines[PAGE_SIZE - 1].contact_id if len(lines) > PAGE_SIZE else None,
        "filters": urlencode({"state": state, "q": words}),
        "states": ["waiting", *recipients.STATES],
        "state": state,
        "words": words,
    }
    return _page(request, "delivery/recipients.html", context, f"Recipients of {campaign.name}")


@require_GET
@may_see
def recipient(request: HttpRequest, campaign_id: int, contact_id: int) -> HttpResponse:
    """Everything on record about one message."""
    campaign = launched_campaign(campaign_id)
    context = {
        "campaign": campaign,
        "log": recipients.log_of(campaign.pk, contact_id),
        "contact_id": contact_id,
        "is_uncertain": bool(find_uncertain(campaign.pk, contact_id=contact_id)),
    }
    return _page(request, "delivery/recipient.html", context, "What happened to one message")


@require_GET
@may_see
def export(_request: HttpRequest, campaign_id: int) -> StreamingHttpResponse:
    """All recipients with state, reply and times as CSV, streamed."""
    campaign = launched_campaign(campaign_id)
    response = StreamingHttpResponse(_csv(campaign.pk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="campaign-{campaign.pk}.csv"'
    return response


class _Line:
    """Hands a row back to the caller as the text that csv made of it."""

    def write(self, text: str) -> str:
        return text


def _csv(campaign_id: int) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(HEADER)
    after = 0
    while lines := recipients.find_recipients(recipients.Wanted(campaign_id, after=after), limit=1000):
        for line in lines:
            yield writer.writerow([_safe(value) for value in line.as_row()])
        after = lines[-1].contact_id


def _safe(value: Any) -> Any:
    """A spreadsheet must not run what a server or a contact wrote (CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _page(request: HttpRequest, template: str, context: dict[str, Any], title: str) -> HttpResponse:
    campaign = context["campaign"]
    crumbs = [*campaign_crumbs(), (campaign.name, recipients.report_address(campaign.pk))]
    return render_page(request, template, context, title=title, crumbs=crumbs)
