"""What a raw mail becomes, whatever it is."""

from __future__ import annotations

from delivery.inbound.mime import MAX_BYTES
from delivery.inbound.parse import parse_reports
from delivery.inbound.report import ParseProblem, ReportKind
from tests.delivery.inbound.mails import TOKEN, dsn


def test_a_mail_that_cannot_be_read_is_a_problem_and_no_exception() -> None:
    assert parse_reports(b"") == ParseProblem("empty")
    assert parse_reports(b" \r\n\r\n ") == ParseProblem("empty")
    assert parse_reports(b"\x00\x01\x02") == ParseProblem("no_headers")


def test_a_mail_that_says_nothing_is_one_unknown_report() -> None:
    reports = parse_reports(b"Subject: hello\n\nhow are you?")
    assert isinstance(reports, list)
    assert [(report.kind, report.detector, report.notice) for report in reports] == [
        (ReportKind.UNKNOWN, "none", "how are you?")
    ]


def test_the_token_is_found_wherever_the_way_in_leaves_the_address() -> None:
    plain = dsn().replace(f"To: b+{TOKEN}@bounce.shop.example\n".encode(), b"", 1)
    plain = plain.replace(f"Return-Path: <b+{TOKEN}@bounce.shop.example>\n".encode(), b"")
    for name in ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To"):
        reports = parse_reports(f"{name}: B+{TOKEN.upper()}@bounce.shop.example\n".encode() + plain)
        assert isinstance(reports, list)
        assert reports[0].verp_token == TOKEN
    from_envelope = parse_reports(plain, envelope_to=(f"b+{TOKEN}@bounce.shop.example",))
    assert isinstance(from_envelope, list)
    assert from_envelope[0].verp_token == TOKEN
    nowhere = parse_reports(plain)
    assert isinstance(nowhere, list)
    assert nowhere[0].verp_token == ""


def test_the_return_path_of_the_returned_message_names_it_too() -> None:
    raw = dsn().replace(f"To: b+{TOKEN}@bounce.shop.example\n".encode(), b"To: postmaster@shop.example\n", 1)
    reports = parse_reports(raw)
    assert isinstance(reports, list)
    assert reports[0].verp_token == TOKEN


def test_what_lies_beyond_the_size_cap_is_not_read() -> None:
    reports = parse_reports(dsn() + b"x" * (2 * MAX_BYTES))
    assert isinstance(reports, list)
    assert reports[0].recipient == "erin@gone.example"


def test_line_ends_of_any_kind_give_the_same_reports() -> None:
    unix = dsn()
    assert (
        parse_reports(unix.replace(b"\n", b"\r\n")) == parse_reports(unix) == parse_reports(unix.replace(b"\n", b"\r"))
    )


def test_deep_nesting_does_no_harm() -> None:
    raw = dsn()
    for level in range(2_000):
        raw = b"From: MAILER-DAEMON@a.example\nContent-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%b" % (
            level,
            level,
            raw,
        )
    reports = parse_reports(raw)
    assert isinstance(reports, list)
    assert len(reports) == 1
