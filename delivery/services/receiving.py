"""Receipts: stored raw first, then read in groups into events and their consequences; readable again after a fix."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet

from delivery.models import Receipt
from delivery.providers.contract import UnreadableReceiptError
from delivery.providers.http import Call, Http, UnansweredError, UnsentError
from delivery.services.applying import apply_findings
from delivery.services.calls import NoAccount, follow_up_of, read_call
from delivery.services.findings import Finding, Statement
from delivery.services.mails import UnreadableMail, read_mail
from delivery.services.matching import refs_by_clue, sent_messages
from delivery.services.overhearing import overhear

log = structlog.get_logger()

GROUP = 200
MAX_ATTEMPTS = 5
UNREADABLE = (UnreadableReceiptError, UnreadableMail, NoAccount)


class NotFollowedUp(Exception):
    """A new subscription could not be confirmed; the receipt is tried again."""


def store_mail(raw: bytes, *, sender: str, recipients: Sequence[str], source: str) -> bool:
    """The mail is stored exactly as it came; False when it was there before. Nothing is parsed yet."""
    digest = hashlib.sha256(b"mail\0" + raw).hexdigest()
    headers: dict[str, Any] = {"sender": sender, "recipients": list(recipients), "source": source}
    _, created = Receipt.objects.get_or_create(
        digest=digest, defaults={"kind": Receipt.Kind.MAIL, "headers": headers, "body": raw}
    )
    return created


def process_receipts(*, now: datetime, seconds: float = 20.0) -> int:
    """Stored receipts are read, oldest first, until none is due or the time is over; returns how many were settled.

    One that fails is tried again after 1, 4, 16 and 64 minutes, and then shown to the operator.
    """
    end, n_done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        ids = list(_due(now).order_by("pk").values_list("pk", flat=True)[:GROUP])
        if not ids:
            break
        n_done += process_group(ids, now)
    return n_done


def read_again(chosen: QuerySet[Receipt]) -> int:
    """The chosen receipts will be read once more; until then their events stay. Returns how many."""
    return chosen.exclude(processed_at=None).update(processed_at=None, n_attempts=0, due_at=None, problem="")


def forget_old_receipts(*, now: datetime) -> int:
    """Receipts hold addresses and words of people: read ones go after RECEIPTS_KEPT_DAYS. Their events stay.

    Ones with a problem are kept three times as long, for whoever repairs it. Returns how many are gone, 5,000 at most.
    """
    days = timedelta(days=settings.RECEIPTS_KEPT_DAYS)
    old = Receipt.objects.filter(Q(problem="") | Q(received_at__lt=now - 3 * days), received_at__lt=now - days)
    ids = list(old.exclude(processed_at=None).order_by("pk").values_list("pk", flat=True)[:5000])
    return Receipt.objects.filter(pk__in=ids).delete()[0]


def process_group(ids: Sequence[int], now: datetime) -> int:
    """These receipts are settled in one transaction; where one of them fails, each in its own.

    What they say in servers' words is held against the shaping rules afterwards.
    """
    try:
        _follow_up(ids)
        settled = _settle(ids, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:
        if len(ids) > 1:
            return sum(process_group([pk], now) for pk in ids)
        log.exception("receipt not processed", receipt=ids[0])
        _note_failure(ids[0], problem, now)
        return 1
    overhear(settled.news, now=now)
    return settled.n_receipts


def _due(now: datetime) -> QuerySet[Receipt]:
    return Receipt.objects.filter(Q(due_at=None) | Q(due_at__lte=now), processed_at=None)


def _follow_up(ids: Sequence[int]) -> None:
    """Subscriptions that want to be confirmed are, before any transaction begins: the network is slow."""
    calls = Receipt.objects.filter(pk__in=ids, account__kind="amazon_ses", processed_at=None)
    for receipt in calls.select_related("account").defer("account__secrets", "account__hook_secrets"):
        url = follow_up_of(receipt)
        if url:
            _fetch(url)


def _fetch(url: str) -> None:
    http = Http()
    try:
        answer = http.call(Call("GET", url))
    except (UnsentError, UnansweredError) as problem:
        raise NotFollowedUp(f"The subscription could not be confirmed: {problem}") from problem
    finally:
        http.close()
    if answer.status != 200:
        raise NotFollowedUp(f"The subscription could not be confirmed: HTTP {answer.status}, {answer.text[:300]}")


@dataclass
class _Reading:
    """A receipt with what it says; `problem` says why it says nothing."""

    receipt: Receipt
    statements: Sequence[Statement] = ()
    problem: str = ""
    findings: list[Finding] = field(default_factory=list)


class _Settled(NamedTuple):
    """How many receipts were settled, and the findings that were new."""

    n_receipts: int
    news: Sequence[Finding]


@transaction.atomic
def _settle(ids: Sequence[int], now: datetime) -> _Settled:
    waiting = Receipt.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=ids, processed_at=None)
    readings = [_read(receipt) for receipt in waiting.select_related("account").order_by("pk")]
    _match(readings)
    read_before = [one.receipt.pk for one in readings if one.receipt.n_events]
    findings = [finding for reading in readings for finding in reading.findings]
    news = apply_findings(findings, read_before=read_before, now=now)
    for reading in readings:
        _close(reading, now)
    return _Settled(len(readings), news)


def _read(receipt: Receipt) -> _Reading:
    statements: Sequence[Statement]
    try:
        statements = read_mail(receipt) if receipt.kind == Receipt.Kind.MAIL else read_call(receipt)
    except UNREADABLE as problem:
        return _Reading(receipt, problem=str(problem)[:2000])
    return _Reading(receipt, statements)


def _match(readings: Iterable[_Reading]) -> None:
    """Each statement that names a message of ours is a finding afterwards; the others are only counted."""
    told = [(reading, statement) for reading in readings for statement in reading.statements]
    by_clue = refs_by_clue([statement.clue for _, statement in told if statement.clue is not None])
    refs = [statement.ref or (by_clue.get(statement.clue) if statement.clue else None) for _, statement in told]
    sent = sent_messages(ref for ref in refs if ref is not None)
    for (reading, statement), ref in zip(told, refs, strict=True):
        message = sent.get(ref) if ref else None
        if message is not None:
            reading.findings.append(statement.finding(message, reading.receipt.received_at))


def _close(reading: _Reading, now: datetime) -> None:
    receipt = reading.receipt
    receipt.problem = reading.problem
    receipt.n_events = len(reading.findings)
    receipt.n_unmatched = len(reading.statements) - len(reading.findings)
    receipt.processed_at = now
    receipt.save(update_fields=["problem", "n_events", "n_unmatched", "processed_at"])


def _note_failure(pk: int, problem: Exception, now: datetime) -> None:
    receipt = Receipt.objects.defer("body").get(pk=pk)
    receipt.n_attempts += 1
    receipt.problem = f"{type(problem).__name__}: {problem}"[:2000]
    receipt.due_at = now + timedelta(minutes=4 ** (receipt.n_attempts - 1))
    if receipt.n_attempts >= MAX_ATTEMPTS:
        receipt.processed_at = now
    receipt.save(update_fields=["n_attempts", "problem", "due_at", "processed_at"])
