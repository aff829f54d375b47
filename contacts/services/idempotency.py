"""Answering a repeated request as the first time (Idempotency-Key), for 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from contacts.errors import KeyReused, StillRunning
from contacts.models import ApiKey, IdempotentRequest

from .forgetting import ANSWERS

ABANDONED = timedelta(minutes=2)  # far above the longest request: its worker is gone


@dataclass(frozen=True, slots=True)
class Begun:
    """The request is new: do the work, then keep its answer under this id."""

    id: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The request was answered before, like this."""

    status: int
    response: Any


def begin_request(key: ApiKey, idempotency_key: str, body_hash: str, *, now: datetime) -> Begun | Answered:
    """Whether to do the work of a request, or the answer it got before.

    Raises KeyReused if the key came with another body, StillRunning while the first request is being answered.
    """
    IdempotentRequest.objects.filter(_worthless(now), api_key=key, key=idempotency_key).delete()
    request, is_new = IdempotentRequest.objects.get_or_create(
        api_key=key, key=idempotency_key, defaults={"body_hash": body_hash, "created_at": now}
    )
    if is_new:
        return Begun(request.pk)
    if request.body_hash != body_hash:
        raise KeyReused("This Idempotency-Key was used with another body.")
    if request.status is None:
        raise StillRunning("The first request with this Idempotency-Key is still being answered.")
    return Answered(request.status, request.response)


def _worthless(now: datetime) -> Q:
    return Q(created_at__lt=now - ANSWERS) | Q(created_at__lt=now - ABANDONED, status=None)


def keep_answer(request_id: int, status: int, response: Any) -> None:
    """A repetition of the request gets this answer."""
    IdempotentRequest.objects.filter(pk=request_id).update(status=status, response=response)


def drop_request(request_id: int) -> None:
    """The work failed and was rolled back: a repetition does it."""
    IdempotentRequest.objects.filter(pk=request_id, status=None).delete()
