"""Stored mails read into statements: bounces, complaints, auto-replies and unsubscribes that came back by mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from delivery.events import NewEvent, event_key
from delivery.inbound.classify import classify_report
from delivery.inbound.match import Matched, match_report
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import ParseProblem, Report, ReportKind
from delivery.inbound.taxonomy import CONSEQUENCES, Category
from delivery.models import Receipt
from delivery.services.findings import Finding
from delivery.services.matching import Clue, SentMessage
from delivery.tracking.tokens import MessageRef, TokenMaker

EVENT_KINDS = {
    ReportKind.BOUNCE: "bounced",
    ReportKind.DELAY: "deferred",
    ReportKind.DELIVERED: "delivered",
    ReportKind.COMPLAINT: "complained",
    ReportKind.AUTO_REPLY: "auto_replied",
    ReportKind.UNSUBSCRIBE: "unsubscribed",
    ReportKind.UNKNOWN: "unknown",
}


class UnreadableMail(Exception):
    """The mail is empty or has no headers; the message says which."""


def read_mail(receipt: Receipt) -> list[MailStatement]:
    """All statements of a mail; raises UnreadableMail.

    A mail that names none of our messages makes a statement without a message (backscatter, forged bounces).
    """
    reports = parse_reports(bytes(receipt.body), envelope_to=receipt.headers.get("recipients", ()))
    if isinstance(reports, ParseProblem):
        raise UnreadableMail(reports.reason)
    maker = TokenMaker(settings.SECRET_KEY)
    return [_statement(receipt, number, report, maker) for number, report in enumerate(reports)]


def _statement(receipt: Receipt, number: int, report: Report, maker: TokenMaker) -> MailStatement:
    match = match_report(report, maker.read)
    return MailStatement(receipt, number, report, match.ref if isinstance(match, Matched) else None)


@dataclass(frozen=True, slots=True)
class MailStatement:
    """One report of a mail; see findings.Statement."""

    receipt: Receipt
    number: int
    report: Report
    ref: MessageRef | None
    clue: Clue | None = None

    def finding(self, sent: SentMessage, received_at: datetime) -> Finding:
        """See findings.Statement."""
        report, verdict = self.report, classify_report(self.report)
        words = (report.diagnostic or report.notice)[:1000]
        event = NewEvent(
            kind=EVENT_KINDS[report.kind],
            event_key=event_key("mail", self.receipt.digest, self.number),
            occurred_at=received_at,
            campaign_id=sent.campaign_id,
            contact_id=sent.contact_id,
            account_id=sent.account_id,
            receipt_id=self.receipt.pk,
            bounce_kind=CONSEQUENCES[verdict.category].kind,
            category=verdict.category,
            enhanced=report.enhanced,
            reply=words,
            rules_version=verdict.rules_version,
            details={
                "rule": verdict.rule_id,
                "detector": report.detector,
                "code": report.reply_code,
                "step": report.stage.value,
                "reporter": report.reporting_mta[:100],
            },
        )
        final = None if report.kind is ReportKind.DELAY else verdict
        return Finding(event, final, _source(verdict.category), words)


def _source(category: Category) -> str:
    return {Category.COMPLAINT: "arf", Category.UNSUBSCRIBED: "mailto"}.get(category, "dsn")
