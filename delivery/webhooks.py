"""The addresses that providers report to: prove the call, store it, answer; a tick reads it later.

What cannot be proved is refused with a status after which the provider sends it again (401, or 503 for Amazon, which
drops a message after any 4xx), and counted per account and reason. What is proved and cannot be read is stored.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from contacts.encryption import WrongKey
from delivery.models import HookRefusal, ProviderAccount
from delivery.providers.contract import ProofUnavailableError, WebhookRequest
from delivery.providers.inflate import TooLargeError, UnknownEncodingError, inflated
from delivery.services import hooks

log = structlog.get_logger()

# SparkPost sends up to 10,000 events, SendGrid 1,000 of up to a few kilobytes in one call.
MAX_BODY = 10 * 1024 * 1024
R = HookRefusal.Reason


class Refused(Exception):
    """Why a call is not taken: the status that its sender gets, the reason that is counted, words for both."""

    def __init__(self, status: int, reason: R, words: str) -> None:
        super().__init__(words)
        self.status, self.reason, self.words = status, reason, words


@csrf_exempt
def receive(request: HttpRequest, kind: str, token: str) -> HttpResponse:
    """200 once the call is stored: 401 without proof, 404 for no such address, 405, 411, 413, 415 for what they say."""
    account = None
    try:
        account = hooks.account_behind(kind, token)
        _take(request, account)
    except Refused as refused:
        return _refusal(account, refused)
    except DatabaseError as problem:
        log.error("webhook call not stored", kind=kind, problem=str(problem))
        return JsonResponse({"error": "The call could not be stored; send it again."}, status=503)
    return JsonResponse({"status": "stored" if request.method == "POST" else "here"})


def _take(request: HttpRequest, account: ProviderAccount | None) -> None:
    if account is None:
        raise Refused(404, R.UNKNOWN_ADDRESS, "There is no such address.")
    if request.method == "HEAD":  # Mandrill looks whether somebody is there before it takes an address
        return
    if request.method != "POST":
        raise Refused(405, R.METHOD, "Webhook calls are POSTs.")
    wire = _body(request)
    body = _unpacked(wire, request.headers.get("Content-Encoding", ""))
    url = settings.PUBLIC_ORIGIN + request.get_full_path()
    call = WebhookRequest(url, body, dict(request.headers))
    if hooks.kind_of(account).greets(call):
        return
    _prove(account, call, wire)
    hooks.store_call(account, request.headers, body)


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise Refused(411, R.NO_LENGTH, "Send the call with its Content-Length.")
    if not (length or "0").isdigit() or int(length or "0") > MAX_BODY:
        raise Refused(413, R.TOO_LARGE, f"A call may have {MAX_BODY:,} bytes.")
    try:
        return request.body
    except UnreadablePostError as problem:
        raise Refused(400, R.BROKEN_OFF, "The call broke off.") from problem


def _unpacked(wire: bytes, encoding: str) -> bytes:
    try:
        return inflated(wire, encoding, MAX_BODY)
    except TooLargeError as problem:
        raise Refused(413, R.TOO_LARGE, str(problem)) from problem
    except UnknownEncodingError as problem:
        raise Refused(415, R.ENCODING, str(problem)) from problem


def _prove(account: ProviderAccount, call: WebhookRequest, wire: bytes) -> None:
    """Signatures are of the text before it was compressed, or of what went over the wire: both are tried."""
    webhooks = hooks.webhooks_of(account)
    status = webhooks.refused_status if webhooks else 401
    calls = [call] if wire == call.body else [call, replace(call, body=wire)]
    try:
        secrets = hooks.secrets_of(account, timezone.now())
        if not secrets:
            raise Refused(status, R.NO_SECRET, "No secret is stored for this address yet.")
        if not hooks.is_proved(account, calls, secrets):
            raise Refused(status, R.NOT_PROVED, "The call does not prove that it comes from the provider.")
    except ProofUnavailableError as problem:
        raise Refused(503, R.PROOF_UNAVAILABLE, "The proof cannot be checked now; send the call again.") from problem
    except (WrongKey, ValueError) as problem:
        raise Refused(503, R.SETTINGS, "The account's settings cannot be read; send the call again.") from problem


def _refusal(account: ProviderAccount | None, refused: Refused) -> HttpResponse:
    with contextlib.suppress(DatabaseError):  # the sender hears why all the same
        hooks.count_refusal(account, refused.reason, timezone.now())
    log.warning("webhook call refused", account=account.pk if account else None, reason=str(refused.reason))
    if refused.status == 405:
        return HttpResponseNotAllowed(["POST", "HEAD"])
    response = JsonResponse({"error": refused.words}, status=refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="webhooks"'
    return response
