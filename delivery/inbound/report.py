"""What one returned mail says, as values: the reports that the parsers make and everything after them reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class ReportKind(StrEnum):
    """What the mail says happened to one recipient."""

    BOUNCE = "bounce"
    DELAY = "delay"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    UNSUBSCRIBE = "unsubscribe"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """The SMTP command that was refused (RFC 5321 section 3); UNKNOWN when the mail does not tell."""

    UNKNOWN = ""
    CONNECT = "connect"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class SourceHeaders:
    """Headers of the returned message, as far as the mail carries them; "" where absent."""

    message_id: str = ""
    return_path: str = ""
    to: str = ""
    subject: str = ""
    list_unsubscribe: str = ""
    feedback_id: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One recipient's part of a returned mail.

    `recipient`: the address that the report is about, lower-cased domain, "" when redacted or absent.
    `original_message_id`: Message-ID of the returned message without its angle brackets.
    `verp_token`: 32 lower hex digits out of `b+HEX@...` (or `u+HEX@...` for an unsubscribe), "" when none.
    `original_envelope_id`: RFC 3464 section 2.2.1. `action`: RFC 3464 section 2.3.3, lower case, "" outside a DSN.
    `enhanced`: RFC 3463 code that the mail states, e.g. "5.1.1", or "". `reply_code`: SMTP reply code or 0.
    `diagnostic`: the remote system's words, at most 2,000 characters. `notice`: the human text on this recipient,
    at most 4,000 characters. `feedback_type`: RFC 5965 section 3.1. `reporting_mta`, `remote_mta`: host names.
    `detector`: which of the parsers recognised the mail.
    """

    kind: ReportKind
    detector: str
    recipient: str = ""
    original_message_id: str = ""
    verp_token: str = ""
    original_envelope_id: str = ""
    action: str = ""
    enhanced: str = ""
    reply_code: int = 0
    diagnostic: str = ""
    notice: str = ""
    stage: Stage = Stage.UNKNOWN
    feedback_type: str = ""
    reporting_mta: str = ""
    remote_mta: str = ""
    source: SourceHeaders = field(default_factory=SourceHeaders)


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """Why a mail could not be read at all: it is empty, or it has no header field."""

    reason: Literal["empty", "no_headers"]
