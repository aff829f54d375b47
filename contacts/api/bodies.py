"""Reading request bodies on the fast path, and answering a repeated one from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from contacts.errors import KeyReused, StillRunning
from contacts.models import ApiKey
from contacts.services.idempotency import Answered, begin_request, drop_request, keep_answer

from .errors import ApiError

MAX_BYTES = 5 * 1024 * 1024
MAX_KEY = 255


def read_json(request: HttpRequest) -> bytes:
    """The raw body of a JSON request; raises ApiError 415 or 413."""
    if request.content_type != "application/json":
        raise ApiError(415, "Send JSON, with the header Content-Type: application/json.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BYTES:
        raise ApiError(413, f"A request may have {MAX_BYTES:,} bytes.")
    return request.body


def answer_once(request: HttpRequest, key: ApiKey, body: bytes, work: Callable[[], Any]) -> HttpResponse:
    """The answer of `work`, which is done once per Idempotency-Key; raises ApiError 409 or 422.

    Without the header it is done each time.
    """
    idempotency_key = request.headers.get("Idempotency-Key", "")
    if not idempotency_key:
        return _json(200, work())
    if len(idempotency_key) > MAX_KEY:
        raise ApiError(422, f"An Idempotency-Key may have {MAX_KEY} characters.")
    body_hash = hashlib.sha256(request.path.encode() + b"\n" + body).hexdigest()
    try:
        begun = begin_request(key, idempotency_key, body_hash, now=timezone.now())
    except KeyReused as error:
        raise ApiError(422, str(error)) from error
    except StillRunning as error:
        raise ApiError(409, str(error)) from error
    if isinstance(begun, Answered):
        return _json(begun.status, begun.response)
    try:
        answer = msgspec.to_builtins(work())
    except BaseException:
        drop_request(begun.id)
        raise
    keep_answer(begun.id, 200, answer)
    return _json(200, answer)


def _json(status: int, answer: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json", status=status)
