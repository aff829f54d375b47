"""RFC 5965 feedback reports and Amazon's notifications by mail."""

from __future__ import annotations

import json

from delivery.inbound.classify import classify_report
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import Report, ReportKind
from delivery.inbound.taxonomy import Category, suppresses
from tests.delivery.inbound.mails import RETURNED, TOKEN, arf


def all_of(raw: bytes) -> list[Report]:
    """The reports of a mail that can be read."""
    reports = parse_reports(raw)
    assert isinstance(reports, list)
    return reports


def test_a_complaint_names_its_recipient_and_our_message() -> None:
    (complaint,) = all_of(arf())
    assert (complaint.kind, complaint.feedback_type) == (ReportKind.COMPLAINT, "abuse")
    assert complaint.recipient == "erin@gone.example"
    assert complaint.verp_token == TOKEN
    assert complaint.original_message_id == f"{TOKEN}@shop.example"


def test_every_named_recipient_complains() -> None:
    fields = "Feedback-Type: abuse\nOriginal-Rcpt-To: <a@b.example>\nOriginal-Rcpt-To: c@d.example\n"
    assert [one.recipient for one in all_of(arf(fields))] == ["a@b.example", "c@d.example"]


def test_a_redacted_complaint_still_carries_our_message_id() -> None:
    returned = RETURNED.replace("Erin <erin@gone.example>", "redacted")
    (complaint,) = all_of(arf("Feedback-Type: abuse\nRedacted-Address: redacted@\n", returned))
    assert complaint.recipient == ""
    assert complaint.source.message_id == f"{TOKEN}@shop.example"


def test_a_mail_that_was_moved_out_of_the_junk_folder_is_no_complaint() -> None:
    (praise,) = all_of(arf("Feedback-Type: not-spam\n"))
    assert praise.kind == ReportKind.UNKNOWN
    assert not suppresses(classify_report(praise).category)


def test_an_authentication_report_is_about_us_and_suppresses_nobody() -> None:
    (failure,) = all_of(arf("Feedback-Type: auth-failure\n"))
    verdict = classify_report(failure)
    assert verdict.category == Category.AUTH_FAILED
    assert not suppresses(verdict.category)


def test_a_jmrp_forward_is_a_complaint_of_the_address_in_its_header() -> None:
    raw = b"From: staff@hotmail.com\nX-HmXmrOriginalRecipient: erin@gone.example\nSubject: complaint\n\nx"
    (complaint,) = all_of(raw)
    assert (complaint.kind, complaint.recipient, complaint.detector) == (
        ReportKind.COMPLAINT,
        "erin@gone.example",
        "jmrp",
    )


def ses(body: object) -> bytes:
    """An SNS notification mail: JSON wrapped at 900 columns, with text below."""
    text = json.dumps(body)
    lines = "\n".join(text[at : at + 900] for at in range(0, len(text), 900))
    return f"From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n\n{lines}\n\n--\nunsubscribe".encode()


def test_an_amazon_bounce_notification_is_read_per_recipient() -> None:
    recipients = [
        {
            "emailAddress": "a@b.example",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 unknown",
        },
        {"emailAddress": "c@d.example", "status": "5.2.2"},
    ]
    mail = {"commonHeaders": {"messageId": f"<{TOKEN}@shop.example>"}}
    body = {
        "notificationType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": recipients},
        "mail": mail,
    }
    first, second = all_of(ses(body))
    assert (first.recipient, first.enhanced, first.diagnostic) == ("a@b.example", "5.1.1", "550 5.1.1 unknown")
    assert first.original_message_id == f"{TOKEN}@shop.example"
    assert (second.recipient, second.enhanced) == ("c@d.example", "5.2.2")


def test_other_amazon_notifications_keep_their_meaning() -> None:
    complaint = {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "a@b.example"}]}}
    delivery = {"notificationType": "Delivery", "delivery": {"recipients": ["a@b.example"], "smtpResponse": "250 ok"}}
    assert [one.kind for one in all_of(ses(complaint))] == [ReportKind.COMPLAINT]
    assert [one.kind for one in all_of(ses(delivery))] == [ReportKind.DELIVERED]


def test_amazon_notifications_of_the_wrong_shape_say_nothing() -> None:
    for body in (
        {"notificationType": "Bounce", "bounce": 3},
        {"notificationType": ["Bounce"]},
        {"notificationType": "Bounce"},
    ):
        assert [one.kind for one in all_of(ses(body))] == [ReportKind.UNKNOWN]
    assert [one.kind for one in all_of(b'Subject: x\n\n{"notificationType": "Bounce", ')] == [ReportKind.UNKNOWN]
