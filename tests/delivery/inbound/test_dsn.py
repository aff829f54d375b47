"""RFC 3464 delivery status notifications."""

from __future__ import annotations

import pytest

from delivery.inbound.mime import read_mail
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import Report, ReportKind, Stage
from tests.delivery.inbound.mails import RETURNED, TOKEN, dsn, report


def only(raw: bytes) -> Report:
    """The single report of a mail."""
    reports = parse_reports(raw)
    assert isinstance(reports, list)
    assert len(reports) == 1
    return reports[0]


def test_a_failed_recipient_is_a_bounce_with_all_that_identifies_it() -> None:
    bounce = only(dsn(notice="<erin@gone.example>: host mx said: 550 (in reply to RCPT TO command)"))
    assert (bounce.kind, bounce.detector) == (ReportKind.BOUNCE, "dsn")
    assert bounce.recipient == "erin@gone.example"
    assert (bounce.action, bounce.enhanced, bounce.reply_code) == ("failed", "5.1.1", 550)
    assert bounce.diagnostic == "550 5.1.1 <erin@gone.example>: Recipient address rejected: User unknown"
    assert bounce.stage == Stage.RCPT
    assert bounce.verp_token == TOKEN
    assert bounce.reporting_mta == "mx.relay.example"
    assert bounce.source.message_id == f"{TOKEN}@shop.example"
    assert bounce.source.return_path == f"b+{TOKEN}@bounce.shop.example"
    assert bounce.source.list_unsubscribe.startswith("<https://u.shop.example/u/")
    assert bounce.source.feedback_id == "7:shop:fanfare:1"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", ReportKind.BOUNCE),
        ("delayed", ReportKind.DELAY),
        ("Delivered", ReportKind.DELIVERED),
        ("relayed (to elsewhere)", ReportKind.DELIVERED),
        ("expanded", ReportKind.DELIVERED),
        ("deliverable", ReportKind.DELIVERED),
        ("nonsense", ReportKind.BOUNCE),
    ],
)
def test_the_action_decides_what_happened(action: str, kind: ReportKind) -> None:
    assert only(dsn(action=action)).kind == kind


def test_a_status_of_class_2_without_an_action_is_a_delivery() -> None:
    raw = report(
        "delivery-status", "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 2.1.5\n", "x"
    )
    assert only(raw).kind == ReportKind.DELIVERED


def test_the_code_in_the_remote_words_goes_before_the_status_field() -> None:
    assert only(dsn("5.1.1", "smtp; 552 5.2.2 Over quota")).enhanced == "5.2.2"
    assert only(dsn("5.2.2", "smtp; 550 mailbox")).enhanced == "5.2.2"
    assert only(dsn("5.0.0", "x-unix; 255", notice="554 5.3.0 unknown mailer error 255")).enhanced == "5.3.0"
    assert only(dsn("5.0.0", "")).enhanced == "5.0.0"


def test_the_address_that_we_wrote_to_counts_not_the_one_it_was_forwarded_to() -> None:
    fields = "Original-Recipient: rfc822;alice@shop.example\nFinal-Recipient: rfc822;a@hidden.example\nAction: failed\n"
    assert only(report("delivery-status", fields, "x")).recipient == "alice@shop.example"


def test_each_recipient_gets_its_own_report_and_repeats_are_dropped() -> None:
    group = "\nFinal-Recipient: rfc822; {0}@gone.example\nAction: failed\nStatus: 5.{1}\n"
    fields = "Reporting-MTA: dns; a\n" + group.format("a", "1.1") + group.format("b", "2.2") + group.format("a", "1.1")
    reports = parse_reports(report("delivery-status", fields, "sorry"))
    assert isinstance(reports, list)
    assert [(one.recipient, one.enhanced) for one in reports] == [
        ("a@gone.example", "5.1.1"),
        ("b@gone.example", "5.2.2"),
    ]


def test_groups_that_no_blank_line_parts_are_still_two() -> None:
    fields = (
        "Final-Recipient: rfc822; a@b.example\nAction: failed\nFinal-Recipient: rfc822; c@d.example\nAction: delayed\n"
    )
    reports = parse_reports(report("delivery-status", fields, "x"))
    assert isinstance(reports, list)
    assert [one.kind for one in reports] == [ReportKind.BOUNCE, ReportKind.DELAY]


def test_status_fields_in_plain_text_are_read_too() -> None:
    raw = b"""From: MAILER-DAEMON@relay.example\nSubject: failed\n\nTechnical report:\n
Reporting-MTA: dsn; relay.example\n\nAction: failed\nFinal-Recipient: rfc822; a@b.example
Diagnostic-Code: smtp; 550 5.2.1 <a@b.example>... User Unknown\nStatus: 5.2.1\n"""
    assert (only(raw).detector, only(raw).recipient, only(raw).enhanced) == ("dsn", "a@b.example", "5.2.1")


def test_a_notification_that_a_gateway_forwards_as_an_attachment_is_read() -> None:
    inner = dsn().decode()
    raw = "Subject: FW\\nFrom: gw@x.example\\nContent-Type: multipart/mixed; boundary=q\\n\\n"
    raw += f"--q\\nContent-Type: message/rfc822\\n\\n{inner}\\n--q--\\n"
    assert only(raw.encode()).recipient == "erin@gone.example"
    assert only(raw.encode()).source.message_id == f"{TOKEN}@shop.example"
    assert only(raw.encode()).verp_token == TOKEN


def test_the_envelope_id_is_kept() -> None:
    fields = f"Original-Envelope-Id: {TOKEN}\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n"
    assert only(report("delivery-status", fields, "x")).original_envelope_id == TOKEN


def test_the_returned_message_is_not_mistaken_for_the_notice() -> None:
    mail = read_mail(dsn())
    assert mail.parts[-1].text().strip() == RETURNED.strip()
    assert "Spring sale" not in only(dsn()).notice
