"""Amazon SES notifications that SNS sends by mail: JSON in the text part.

Fields: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .addresses import recipient_field
from .codes import best_enhanced, reply_code, stage_in
from .mime import Mail
from .report import Report, ReportKind

_MAX_RECIPIENTS = 200
_KINDS = {
    "bounce": ReportKind.BOUNCE,
    "complaint": ReportKind.COMPLAINT,
    "delivery": ReportKind.DELIVERED,
    "deliverydelay": ReportKind.DELAY,
}


def read_ses_json(mail: Mail) -> list[Report]:
    """A report per recipient of the notification; [] when the text is no such JSON."""
    part = mail.first("text/plain", "application/json")
    body = _notification(part.text() if part else "")
    name = str(body.get("notificationType") or body.get("eventType") or "").lower()
    kind = _KINDS.get(name)
    if kind is None:
        return []
    detail = _mapping(body.get("deliveryDelay" if name == "deliverydelay" else name))
    return [_report(kind, recipient, detail, _mapping(body.get("mail"))) for recipient in _recipients(detail)]


def _notification(text: str) -> dict[str, Any]:
    joined = text.replace("\n", "")
    if "notificationType" not in joined and "eventType" not in joined:
        return {}
    try:
        body, _ = json.JSONDecoder(strict=False).raw_decode(joined, max(joined.find("{"), 0))
    except (ValueError, RecursionError):
        return {}
    inner = _mapping(body).get("Message")  # the whole SNS envelope, where raw delivery is off
    return _notification(inner) if isinstance(inner, str) and len(inner) < len(joined) else _mapping(body)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _recipients(detail: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("bouncedRecipients", "complainedRecipients", "delayedRecipients", "recipients"):
        value = detail.get(name)
        for item in value[:_MAX_RECIPIENTS] if isinstance(value, list) else []:
            yield item if isinstance(item, dict) else {"emailAddress": item}


def _report(kind: ReportKind, recipient: dict[str, Any], detail: dict[str, Any], mail: dict[str, Any]) -> Report:
    diagnostic = str(recipient.get("diagnosticCode") or detail.get("smtpResponse") or "")
    diagnostic = diagnostic.partition(";")[2].strip() or diagnostic
    headers = _mapping(mail.get("commonHeaders"))
    return Report(
        kind=kind,
        detector="ses_json",
        recipient=recipient_field(str(recipient.get("emailAddress", ""))),
        original_message_id=str(headers.get("messageId", "")).strip("<> ")[:250],
        action=str(recipient.get("action", ""))[:20],
        enhanced=best_enhanced(diagnostic, str(recipient.get("status", ""))),
        reply_code=reply_code(diagnostic),
        diagnostic=diagnostic[:2_000],
        notice=f"{detail.get('bounceType', '')} {detail.get('bounceSubType', '')}".strip()[:200],
        stage=stage_in(diagnostic),
        feedback_type=str(detail.get("complaintFeedbackType", ""))[:40],
        reporting_mta=str(detail.get("reportingMTA", "")).rpartition(";")[2].strip().lower()[:255],
    )
