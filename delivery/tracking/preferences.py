"""The pages behind unsubscribe and preference links: GET shows, POST acts (RFC 8058; scanners open every link)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from csp.decorators import csp_replace
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from redis.exceptions import RedisError

from delivery.services import leaving
from delivery.tracking.languages import show
from delivery.tracking.tokens import MessageRef
from delivery.tracking.views import database_outage, redis, tokens

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
        return _private(show(request, "delivery/public/gone.html", status=404))
    if request.method == "POST":
        return _private(_leave(request, token, ref))
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    context = _context(token, ref) | {"whys": leaving.WHYS.items()}
    return _private(_page(request, "unsubscribe", context))


def _leave(request: HttpRequest, token: str, ref: MessageRef) -> HttpResponse:
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    why = request.POST.get("why", "")
    wish = leaving.Wish(
        ref.campaign_id,
        ref.contact_id,
        everything=request.POST.get("scope") == "everything",
        reason=request.POST.get("reason", "").strip()[:300],
        source="one-click" if one_click else "page",
        why=why if why in leaving.WHYS else "",
        at=timezone.now().timestamp(),
    )
    if not _carried_out(wish) and not _kept(wish):
        return _try_again(request)
    if one_click:
        return HttpResponse("Unsubscribed.", content_type="text/plain")
    return _page(request, "unsubscribed", _context(token, ref) | {"wish": wish})


def _carried_out(wish: leaving.Wish) -> bool:
    if database_outage().holds():
        return False
    try:
        leaving.leave(wish, now=timezone.now())
    except DatabaseError as problem:
        database_outage().note()
        log.error("unsubscribe waits for PostgreSQL", problem=str(problem))
        return False
    database_outage().clear()
    return True


def _kept(wish: leaving.Wish) -> bool:
    """Kept in Redis and carried out by the next flush: nobody loses an unsubscribe to an outage of PostgreSQL."""
    try:
        leaving.keep_for_later(redis(), wish)
    except RedisError as problem:
        log.error("unsubscribe refused: neither PostgreSQL nor Redis can be written", problem=str(problem))
        return False
    return True


@csrf_exempt
@public_page
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Which of the brand's lists the contact is on; POST sets them."""
    ref = tokens().read(token)
    if ref is None:
        return _private(show(request, "delivery/public/gone.html", status=404))
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    saved = request.method == "POST"
    if saved and not _saved(request, ref):
        return _private(_try_again(request))
    context = _context(token, ref)
    if not context["page"].known:
        return _private(_try_again(request))
    return _private(_page(request, "preferences", context | {"saved": saved}))


def _saved(request: HttpRequest, ref: MessageRef) -> bool:
    wanted = {int(pk) for pk in request.POST.getlist("list") if pk.isdecimal() and len(pk) < 19}
    try:
        leaving.set_preferences(ref.campaign_id, ref.contact_id, wanted, now=timezone.now())
    except DatabaseError:
        database_outage().note()
        return False
    return True


def _context(token: str, ref: MessageRef) -> dict[str, Any]:
    if database_outage().holds():
        page = leaving.NOTHING_KNOWN
    else:
        page = leaving.page_for(ref.campaign_id, ref.contact_id)
        (database_outage().clear if page.known else database_outage().note)()
    return {"page": page, "brand": page.brand, "token": token}


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return show(request, f"delivery/public/{name}.html", context, locale=context["page"].locale)


def _try_again(request: HttpRequest) -> HttpResponse:
    response = show(request, "delivery/public/try_again.html", status=503)
    response["Retry-After"] = "30"
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    return response
