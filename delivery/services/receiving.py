"""What came back by mail: stored raw first, then parsed into events, suppressions and unsubscribes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from delivery.events import NewEvent, append_events, event_key
from delivery.inbound.classify import classify_report
from delivery.inbound.match import Unmatched, match_report
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import ParseProblem, Report, ReportKind
from delivery.inbound.taxonomy import CONSEQUENCES
from delivery.models import Receipt
from delivery.services.consequences import apply_consequence
from delivery.services.leaving import Wish, leave
from delivery.tracking.tokens import MessageRef, TokenMaker

log = structlog.get_logger()

MAX_ATTEMPTS = 5
EVENT_KINDS = {
    ReportKind.BOUNCE: "bounced",
    ReportKind.DELAY: "deferred",
    ReportKind.DELIVERED: "delivered",
    ReportKind.COMPLAINT: "complained",
    ReportKind.AUTO_REPLY: "auto_replied",
    ReportKind.UNKNOWN: "unknown",
}


def store_mail(raw: bytes, *, sender: str, recipients: Sequence[str], source: str) -> bool:
    """The mail is stored exactly as it came; False when it was there before. Nothing is parsed yet."""
    digest = hashlib.sha256(b"mail\0" + raw).hexdigest()
    headers: dict[str, Any] = {"sender": sender, "recipients": list(recipients), "source": source}
    _, created = Receipt.objects.get_or_create(
        digest=digest, defaults={"kind": Receipt.Kind.MAIL, "headers": headers, "body": raw}
    )
    return created


def process_mail(*, limit: int, now: datetime) -> int:
    """Up to `limit` stored mails are parsed; one that fails is tried again, five times at most."""
    n_done = 0
    waiting = Receipt.objects.filter(kind=Receipt.Kind.MAIL, processed_at=None)
    for pk in list(waiting.order_by("pk").values_list("pk", flat=True)[:limit]):
        try:
            n_done += _process(pk, now)
        except Exception as problem:
            log.exception("mail not processed", receipt=pk)
            _note_failure(pk, problem, now)
    return n_done


@transaction.atomic
def _process(pk: int, now: datetime) -> bool:
    receipt = Receipt.objects.select_for_update(skip_locked=True).filter(pk=pk, processed_at=None).first()
    if receipt is None:
        return False
    reports = parse_reports(bytes(receipt.body), envelope_to=receipt.headers.get("recipients", ()))
    if isinstance(reports, ParseProblem):
        receipt.problem = reports.reason
    else:
        receipt.n_events = sum(_apply(receipt, number, report, now) for number, report in enumerate(reports))
    receipt.processed_at = now
    receipt.save(update_fields=["problem", "n_events", "processed_at"])
    return True


def _note_failure(pk: int, problem: Exception, now: datetime) -> None:
    receipt = Receipt.objects.get(pk=pk)
    receipt.n_attempts += 1
    receipt.problem = f"{type(problem).__name__}: {problem}"[:2000]
    if receipt.n_attempts >= MAX_ATTEMPTS:
        receipt.processed_at = now
    receipt.save(update_fields=["n_attempts", "problem", "processed_at"])


def _apply(receipt: Receipt, number: int, report: Report, now: datetime) -> int:
    """One report's event and consequence; a report that names none of our messages changes nothing (backscatter)."""
    match = match_report(report, TokenMaker(settings.SECRET_KEY).read)
    if isinstance(match, Unmatched):
        return 0
    ref = match.ref
    if report.kind is ReportKind.UNSUBSCRIBE:
        leave(Wish(ref.campaign_id, ref.contact_id, source="mailto"), now=now)
        return 1
    verdict = classify_report(report)
    append_events([_event(receipt, number, report, ref)], now=now)
    if report.kind is not ReportKind.DELAY:
        evidence = {"receipt": receipt.pk, "words": (report.diagnostic or report.notice)[:300]}
        source = "arf" if report.kind is ReportKind.COMPLAINT else "dsn"
        apply_consequence(ref, verdict, source=source, evidence=evidence, now=now)
    return 1


def _event(receipt: Receipt, number: int, report: Report, ref: MessageRef) -> NewEvent:
    verdict = classify_report(report)
    return NewEvent(
        kind=EVENT_KINDS[report.kind],
        event_key=event_key("mail", receipt.digest, number),
        occurred_at=receipt.received_at,
        campaign_id=ref.campaign_id,
        contact_id=ref.contact_id,
        receipt_id=receipt.pk,
        bounce_kind=CONSEQUENCES[verdict.category].kind,
        category=verdict.category,
        enhanced=report.enhanced,
        reply=(report.diagnostic or report.notice)[:1000],
        rules_version=verdict.rules_version,
        details={"rule": verdict.rule_id, "detector": report.detector, "code": report.reply_code},
    )
