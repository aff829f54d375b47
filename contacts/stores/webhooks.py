"""The address stores send to: verify the raw body, store it, answer at once; Celery makes something of it later."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from contacts.stores.intake import MAX_BODY, find_store, keep_delivery, secrets_of
from contacts.stores.models import Store
from contacts.stores.signatures import HEADERS, is_ping, is_signed


@csrf_exempt
@require_POST
def receive_delivery(request: HttpRequest, store_uuid: uuid.UUID) -> HttpResponse:
    """200 once the delivery is stored; 401 for a wrong signature, 404 for no such store, 411, 413 or 415 for its form.

    Shopify gives up after 5 s, and both platforms switch a webhook off after repeated errors.
    """
    store = find_store(store_uuid)
    if store is None:
        return _refuse(404, "There is no such store.")
    refusal = _unfit(request)
    if refusal is not None:
        return refusal
    body = request.body
    signature = request.headers.get(HEADERS[store.platform], "")
    if not signature and store.platform == Store.Platform.WOOCOMMERCE and is_ping(body, request.content_type or ""):
        return JsonResponse({"status": "hello"})
    if not is_signed(body, signature, secrets_of(store)):
        return _refuse(401, "The signature does not belong to this body.")
    is_new = keep_delivery(store, request.headers, body)
    return JsonResponse({"status": "stored" if is_new else "known"})


def _unfit(request: HttpRequest) -> HttpResponse | None:
    """What neither platform sends: a body in pieces, compressed or above 5 MB; its signature would only seem wrong."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if "Transfer-Encoding" in request.headers and not length:
        return _refuse(411, "A delivery says its length; have the proxy in front collect the body.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return _refuse(415, "A delivery is not compressed: its signature covers the plain body.")
    if length and (not length.isdigit() or int(length) > MAX_BODY):
        return _refuse(413, f"A delivery may have {MAX_BODY:,} bytes.")
    return None


def _refuse(status: int, error: str) -> HttpResponse:
    return JsonResponse({"error": error}, status=status)
