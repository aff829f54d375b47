"""Auto-replies and unsubscribe requests by mail."""

from __future__ import annotations

import pytest

from delivery.inbound.parse import parse_reports
from delivery.inbound.report import Report, ReportKind
from tests.delivery.inbound.mails import TOKEN


def only(raw: str, envelope_to: tuple[str, ...] = ()) -> Report:
    """The single report of a mail."""
    reports = parse_reports(raw.encode(), envelope_to=envelope_to)
    assert isinstance(reports, list)
    assert len(reports) == 1
    return reports[0]


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Subject: Automatic reply: Spring sale",
        "Subject: =?utf-8?B?6Ieq5Yqo5Zue5aSNOiBTYWxl?=",
        "Subject: Automatische Antwort: Spring sale",
        "Subject: Out of office",
    ],
)
def test_an_automatic_answer_is_known_by_its_headers(header: str) -> None:
    reply = only(f"From: Erin <erin@gone.example>\n{header}\nIn-Reply-To: <{TOKEN}@shop.example>\n\nI am away.")
    assert (reply.kind, reply.recipient) == (ReportKind.AUTO_REPLY, "erin@gone.example")
    assert reply.original_message_id == f"{TOKEN}@shop.example"


def test_a_vacation_note_that_speaks_of_undelivered_mail_is_still_an_auto_reply() -> None:
    raw = "From: erin@gone.example\nReturn-Path: <>\nAuto-Submitted: auto-replied\nSubject: Undelivered mail\n\n"
    raw += "I have left the company, your mail was not delivered."
    assert only(raw).kind == ReportKind.AUTO_REPLY


def test_auto_submitted_no_is_a_person() -> None:
    assert only("From: erin@gone.example\nAuto-Submitted: no\nSubject: hello\n\nhi").kind == ReportKind.UNKNOWN


def test_a_mail_to_the_unsubscribe_address_is_a_request_with_its_token() -> None:
    raw = f"From: erin@gone.example\nTo: U+{TOKEN.upper()}@bounce.shop.example\nSubject: whatever\n\n"
    request = only(raw)
    assert (request.kind, request.verp_token, request.recipient) == (ReportKind.UNSUBSCRIBE, TOKEN, "erin@gone.example")


def test_the_envelope_tells_the_unsubscribe_address_too() -> None:
    raw = "From: erin@gone.example\nSubject: x\n\n"
    assert only(raw, (f"u+{TOKEN}@bounce.shop.example",)).verp_token == TOKEN


def test_a_subject_that_says_unsubscribe_is_a_request_without_a_token() -> None:
    request = only("From: erin@gone.example\nSubject: Re: Unsubscribe\n\nplease")
    assert (request.kind, request.verp_token) == (ReportKind.UNSUBSCRIBE, "")


def test_an_auto_reply_to_the_unsubscribe_address_is_no_request() -> None:
    raw = f"From: erin@gone.example\nTo: u+{TOKEN}@bounce.shop.example\nAuto-Submitted: auto-replied\nSubject: away\n\n"
    assert only(raw).kind == ReportKind.AUTO_REPLY
