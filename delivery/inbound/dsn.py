"""RFC 3464 delivery status notifications, also those that are not labelled as such or sit in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .addresses import recipient_field
from .codes import best_enhanced, is_vague, remote_lines, reply_code, stage_before, stage_in
from .mime import Mail, read_headers
from .notice import blocks, notice_text
from .report import Report, ReportKind, Stage

_MAX_RECIPIENTS = 200
_FIELDS = re.compile(r"^(?:Final|Original)-Recipient:", re.IGNORECASE | re.MULTILINE)
_PER_MESSAGE = ("reporting-mta", "original-envelope-id", "arrival-date", "received-from-mta")
# RFC 3464 section 2.3.3, with Postfix's words for probes ("deliverable", "undeliverable").
_ACTIONS = {
    "failed": ReportKind.BOUNCE,
    "failure": ReportKind.BOUNCE,
    "undeliverable": ReportKind.BOUNCE,
    "expired": ReportKind.BOUNCE,
    "delayed": ReportKind.DELAY,
    "delivered": ReportKind.DELIVERED,
    "deliverable": ReportKind.DELIVERED,
    "relayed": ReportKind.DELIVERED,
    "expanded": ReportKind.DELIVERED,
}


def read_dsn(mail: Mail) -> list[Report]:
    """A report per recipient group; [] when the mail holds no delivery status fields."""
    groups = list(_recipient_groups(_status_text(mail)))
    if not groups:
        return []
    notice = notice_text(mail)
    named = blocks(notice, not_about=()) if len(groups) > 1 else {}
    return list(dict.fromkeys(_report(fields, notice, named) for fields in groups[:_MAX_RECIPIENTS]))


def _status_text(mail: Mail) -> str:
    part = mail.first("message/delivery-status", "message/global-delivery-status")
    if part:
        return part.text()
    return next((text for text in _plain_texts(mail) if _FIELDS.search(text)), "")


def _plain_texts(mail: Mail) -> Iterator[str]:
    for part in mail.parts[:4]:
        if part.content_type.startswith("text/") and part.content_type != "text/rfc822-headers":
            yield part.text()


def _recipient_groups(text: str) -> Iterator[dict[str, str]]:
    """Fields of each recipient with the per-message fields mixed in; blank lines between groups may be missing."""
    shared: dict[str, str] = {}
    for block in re.split(r"\n[ \t]*\n", text.replace("\r", "")):
        current: dict[str, str] = {}
        for name, value in read_headers(block.encode()).pairs:
            if name in _PER_MESSAGE:
                shared[name] = value
            elif name in current and name == "final-recipient":
                yield shared | current
                current = {name: value}
            else:
                current.setdefault(name, value)
        if current.keys() & {"final-recipient", "original-recipient", "action"} and _about_someone(current):
            yield shared | current


def _about_someone(fields: dict[str, str]) -> bool:
    return bool(fields.keys() & {"final-recipient", "original-recipient", "status", "diagnostic-code"})


def _report(fields: dict[str, str], notice: str, named: dict[str, str]) -> Report:
    recipient = _recipient(fields)
    block = named.get(recipient, notice)[:4_000]
    diagnostic = _diagnostic(fields)
    action = fields.get("action", "").strip().lower().partition(" ")[0]
    enhanced = _enhanced(fields, diagnostic, block)
    return Report(
        kind=_ACTIONS.get(action) or (ReportKind.DELIVERED if enhanced.startswith("2") else ReportKind.BOUNCE),
        detector="dsn",
        recipient=recipient,
        original_envelope_id=fields.get("original-envelope-id", "")[:200],
        action=action[:20],
        enhanced=enhanced,
        reply_code=reply_code(diagnostic) or reply_code(fields.get("status", "")) or reply_code(block),
        diagnostic=diagnostic,
        notice=block,
        stage=_stage(diagnostic, block, notice),
        reporting_mta=_host(fields.get("reporting-mta", "")),
        remote_mta=_host(fields.get("remote-mta", "")),
    )


def _recipient(fields: dict[str, str]) -> str:
    """The address that we wrote to: the original one where the DSN gives it, else the final one."""
    original = recipient_field(fields.get("original-recipient", ""))
    return original or recipient_field(fields.get("final-recipient", ""))


def _diagnostic(fields: dict[str, str]) -> str:
    """The diagnostic without its type, with the comment of Status (Sun, Oracle) and PowerMTA's own category."""
    kind, semicolon, rest = fields.get("diagnostic-code", "").partition(";")
    words = rest.strip() if semicolon and len(kind) < 20 else (kind + semicolon + rest).strip()
    comment = re.search(r"\(([^()]{3,200})\)", fields.get("status", ""))
    if comment and not words:
        words = comment.group(1)
    category = fields.get("x-powermta-bouncecategory", "")
    return (f"{words} [{category}]" if category else words)[:2_000]


def _enhanced(fields: dict[str, str], diagnostic: str, block: str) -> str:
    """What the remote server said goes before what the reporting MTA made of it."""
    status = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", fields.get("status", ""))
    stated = best_enhanced(diagnostic)
    if status and is_vague(stated):
        stated = status.group(1)
    return stated if stated and not is_vague(stated) else best_enhanced(stated, remote_lines(block))


def _stage(diagnostic: str, block: str, notice: str) -> Stage:
    return stage_before(notice, diagnostic) or stage_in(diagnostic) or stage_in(block)


def _host(value: str) -> str:
    """The host out of `dns; mx.example.org (192.0.2.1)`."""
    return value.rpartition(";")[2].strip().partition(" ")[0].lower()[:255]
