"""The pages behind unsubscribe and preference links: GET shows, POST acts (RFC 8058; scanners open every link)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from csp.decorators import csp_replace
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from delivery.services import leaving
from delivery.tracking.views import redis, tokens

View = TypeVar("View", bound=Callable[..., HttpResponse])

log = structlog.get_logger()

# django-csp's decorator is typed for views without arguments of their own.
public_page: Callable[[View], View] = csp_replace(settings.PUBLIC_CONTENT_SECURITY_POLICY)  # type: ignore[assignment]


# No cookie, login or redirect may stand between a mail client's POST and its effect (RFC 8058 section 3.1); the signed
# token is the permission, so there is nothing for a CSRF token to protect.
@csrf_exempt
@public_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One button on GET; on POST the contact leaves the campaign's lists, or everything of the brand if asked."""
    ref = tokens().read(token)
    if ref is None:
        return render(request, "delivery/public/gone.html", status=404)
    if request.method == "POST":
        return _leave(request, token, ref.campaign_id, ref.contact_id)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    page = leaving.page_for(ref.campaign_id, ref.contact_id)
    return render(request, "delivery/public/unsubscribe.html", {"page": page, "brand": page.brand, "token": token})


def _leave(request: HttpRequest, token: str, campaign_id: int, contact_id: int) -> HttpResponse:
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    wish = leaving.Wish(
        campaign_id,
        contact_id,
        everything=request.POST.get("scope") == "everything",
        reason=request.POST.get("reason", "")[:300],
        source="one-click" if one_click else "page",
    )
    try:
        leaving.leave(wish, now=timezone.now())
    except DatabaseError:
        # Kept in Redis and carried out by the next flush: nobody loses an unsubscribe to an outage.
        leaving.keep_for_later(redis(), wish)
    if one_click:
        return HttpResponse("Unsubscribed.", content_type="text/plain")
    page = leaving.page_for(campaign_id, contact_id)
    return render(
        request, "delivery/public/unsubscribed.html", {"page": page, "brand": page.brand, "token": token, "wish": wish}
    )


@csrf_exempt
@public_page
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Which of the brand's lists the contact is on; POST sets them."""
    ref = tokens().read(token)
    if ref is None:
        return render(request, "delivery/public/gone.html", status=404)
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    saved = request.method == "POST"
    if saved:
        wanted = {int(pk) for pk in request.POST.getlist("list") if pk.isdigit()}
        leaving.set_preferences(ref.campaign_id, ref.contact_id, wanted, now=timezone.now())
    page = leaving.page_for(ref.campaign_id, ref.contact_id)
    return render(
        request, "delivery/public/preferences.html", {"page": page, "brand": page.brand, "token": token, "saved": saved}
    )
