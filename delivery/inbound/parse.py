"""Raw bytes of one returned mail to reports: asks each detector in turn, then adds what identifies our message.

The standards come first (RFC 5965, RFC 3464), then prose, then flufl.bounce as a second opinion, then RFC 3834.
Nothing here raises on any input: what cannot be read is a ParseProblem, what says nothing a report of kind "unknown".
"""

from __future__ import annotations

import email
import logging
from collections.abc import Sequence
from dataclasses import replace
from email.errors import MessageError

from flufl.bounce import all_failures

from .addresses import message_id_in, tidy, token_in
from .arf import read_arf
from .automatic import is_automatic, read_auto_reply, read_unsubscribe, receiving_addresses
from .codes import best_enhanced, reply_code, stage_in
from .dsn import read_dsn
from .mime import Headers, Mail, decode_text, read_mail
from .notice import MAX_BLOCK, notice_text, returned_headers, source_headers
from .prose import read_prose, server_words
from .report import ParseProblem, Report, ReportKind
from .ses_json import read_ses_json

# The notice is at the top; flufl.bounce tries some 40 patterns on every line (1.5 s for 200,000 lines).
_FLUFL_BYTES = 32 * 1024
# It logs a traceback for every mail that its detectors stumble over.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def parse_reports(raw: bytes, *, envelope_to: Sequence[str] = ()) -> list[Report] | ParseProblem:
    """The reports in one mail, at least one; `envelope_to` are the RCPT TO addresses where the intake knows them."""
    if not raw.strip():
        return ParseProblem("empty")
    outer = read_mail(raw)
    if not outer.headers.pairs:
        return ParseProblem("no_headers")
    mail = _unwrapped(outer)
    addresses = receiving_addresses(outer, envelope_to)
    reports = (
        read_arf(mail)
        or read_ses_json(mail)
        or read_dsn(mail)
        or read_unsubscribe(mail, addresses)
        or _prose_or_reply(mail)
        or _second_opinion(raw, mail)
        or [Report(ReportKind.UNKNOWN, "none", notice=notice_text(mail)[:MAX_BLOCK])]
    )
    return _identified(reports, mail, addresses)


def _unwrapped(mail: Mail) -> Mail:
    """The report that a gateway forwards as an attachment (InterScan, help desks); no message of ours is one."""
    part = None if mail.content_type == "multipart/report" else mail.first("message/rfc822")
    inner = read_mail(part.content()) if part else mail
    return inner if inner.content_type == "multipart/report" else mail


def _prose_or_reply(mail: Mail) -> list[Report]:
    """A vacation note may quote a bounce and Exim marks bounces as auto-replied: the sender decides."""
    return read_prose(mail) or read_auto_reply(mail)


def _second_opinion(raw: bytes, mail: Mail) -> list[Report]:
    """What flufl.bounce finds in the first 32 KiB. It raises on odd input, and reads nested mail recursively."""
    if is_automatic(mail):
        return []
    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw[:_FLUFL_BYTES]))
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return []
    notice = notice_text(mail)[:MAX_BLOCK]
    return [
        Report(
            kind=kind,
            detector="flufl",
            recipient=tidy(decode_text(address, "utf-8")),
            enhanced=best_enhanced(notice),
            reply_code=reply_code(notice),
            diagnostic=server_words(notice),
            notice=notice,
            stage=stage_in(notice),
        )
        for kind, found in ((ReportKind.BOUNCE, permanent), (ReportKind.DELAY, temporary))
        for address in sorted(found)
    ]


def _identified(reports: list[Report], mail: Mail, addresses: Sequence[str]) -> list[Report]:
    returned = returned_headers(mail)
    source = source_headers(returned)
    message_id = source.message_id or _answered(mail)
    token = _token(mail, returned, addresses)
    return [
        replace(
            report,
            source=source,
            original_message_id=report.original_message_id or message_id,
            verp_token=report.verp_token or token or token_in([report.recipient]),
        )
        for report in reports
    ]


def _token(mail: Mail, returned: Headers, addresses: Sequence[str]) -> str:
    """From the address that the bounce came to, else from the return path of the message that it returns."""
    return token_in(receiving_addresses(mail, addresses)) or token_in(returned.every("return-path"))


def _answered(mail: Mail) -> str:
    """An auto-reply names our message in In-Reply-To or References (RFC 3834 section 3.1.3)."""
    for name in ("in-reply-to", "references", "x-original-message-id"):
        value = mail.headers.get(name)
        if value:
            return message_id_in(value)
    return ""
