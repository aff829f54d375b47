"""The addresses in mail: pixel, redirects, honeypot. One append to Redis; GET changes nothing else."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.encoding import iri_to_uri
from redis import Redis

from delivery.tracking.clients import hit_of
from delivery.tracking.hits import encode_hit
from delivery.tracking.languages import show
from delivery.tracking.links import verify_dynamic
from delivery.tracking.linktable import LinkTable, Unavailable
from delivery.tracking.outage import Outage
from delivery.tracking.spill import Spill
from delivery.tracking.tokens import MessageRef, TokenMaker, derive_key
from delivery.tracking.writing import HitWriter

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@cache
def redis() -> Redis:
    """This process's connections to Redis."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


@cache
def tokens() -> TokenMaker:
    """The installation's token maker."""
    return TokenMaker(settings.SECRET_KEY)


@cache
def link_secret() -> bytes:
    """The key of dynamic links."""
    return derive_key(settings.SECRET_KEY, b"dynamic link v1")


@cache
def database_outage() -> Outage:
    """What this process knows about PostgreSQL being away."""
    return Outage()


@cache
def hits() -> HitWriter:
    """This process's writer of hits."""
    return HitWriter(redis(), Spill(Path(settings.SPILL_ROOT)))


@cache
def links() -> LinkTable:
    """This process's link table."""
    return LinkTable(redis(), database_outage())


def pixel(request: HttpRequest, token: str) -> HttpResponse:
    """The open pixel: always the same 42 bytes, whatever the token."""
    if not _is_read(request):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    ref = tokens().read(token)
    if ref is not None:
        _note(request, "opened", ref)
    return _private(HttpResponse(PIXEL, content_type="image/gif"))


def click(request: HttpRequest, token: str, index: int) -> HttpResponseBase:
    """The redirect behind a static link: its target comes from the campaign's link table, never from the request."""
    if not _is_read(request):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    ref = tokens().read(token)
    try:
        url = links().target(ref.campaign_id, index) if ref is not None else None
    except Unavailable:
        return _try_again(request)
    if ref is None or url is None or not _is_web(url):
        return _gone(request)
    _note(request, "clicked", ref, index)
    return _redirect(url)


def dynamic_click(request: HttpRequest, token: str, index: int, mac: str, target: str) -> HttpResponseBase:
    """The redirect behind a link made of merge fields: its URL is in the path, signed."""
    if not _is_read(request):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    ref = tokens().read(token)
    url = verify_dynamic(link_secret(), ref.campaign_id, index, mac, target) if ref is not None else None
    if ref is None or url is None or not _is_web(url) or links().is_off(ref.campaign_id, index):
        return _gone(request)
    _note(request, "clicked", ref, index)
    return _redirect(url)


def honeypot(request: HttpRequest, token: str) -> HttpResponseBase:
    """A link that no person sees: who follows it is a scanner."""
    ref = tokens().read(token)
    if ref is not None and _is_read(request):
        _note(request, "honeypot", ref)
    return _gone(request)


def _is_read(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD")


def _is_web(url: str) -> bool:
    """A contact's field may hold anything; a browser is sent to web pages alone."""
    return url[:8].lower().startswith(("http://", "https://"))


def _note(request: HttpRequest, kind: str, ref: MessageRef, index: int | None = None) -> None:
    """The hit is in Redis afterwards; what the writer cannot keep it logs, and the reader gets on all the same."""
    hits().write(encode_hit(hit_of(request, kind, ref.campaign_id, ref.contact_id, index)))


def _redirect(url: str) -> HttpResponse:
    response = HttpResponse(status=302)
    response["Location"] = iri_to_uri(url)  # a header holds ASCII; Django would write =?utf-8?...?= else
    response["Referrer-Policy"] = "no-referrer"
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    return response


@csp_replace(settings.PUBLIC_CONTENT_SECURITY_POLICY)
def _gone(request: HttpRequest) -> HttpResponse:
    return _private(show(request, "delivery/public/gone.html", status=404))


@csp_replace(settings.PUBLIC_CONTENT_SECURITY_POLICY)
def _try_again(request: HttpRequest) -> HttpResponse:
    response = show(request, "delivery/public/try_again.html", status=503)
    response["Retry-After"] = "30"
    return _private(response)
