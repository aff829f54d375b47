"""Hostile mails: made by hypothesis, kept from longer runs of fuzz.py, and made to be slow."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.delivery.inbound.fuzz import SEEDS, base_mails, check, mutated
from tests.delivery.inbound.mails import RETURNED, dsn, report

_MAILS = base_mails()
_LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_DSN_NAMES = ("Final-Recipient:", "Original-Recipient:", "Action:", "Status:", "Diagnostic-Code:", "Reporting-MTA:")
_ARF_NAMES = ("Feedback-Type:", "Original-Rcpt-To:", "Redacted-Address:", "User-Agent:", "Original-Envelope-Id:")
_FIELD_NAMES = st.sampled_from((*_DSN_NAMES, *_ARF_NAMES, ""))
_FIELDS = st.lists(st.tuples(_FIELD_NAMES, _LINES), max_size=12).map(
    lambda pairs: "\n".join(f"{name} {value}" if name else "" for name, value in pairs)
)
_quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_quick
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    check(raw)


@_quick
@given(kind=st.sampled_from(["delivery-status", "feedback-report"]), fields=_FIELDS, notice=_LINES, returned=_FIELDS)
def test_any_status_and_feedback_fields_are_read(kind: str, fields: str, notice: str, returned: str) -> None:
    check(report(kind, fields, notice, returned).replace(b"\r", b""))


@_quick
@given(st.integers(0, 2**32))
def test_any_damage_to_a_real_mail_is_borne(seed: int) -> None:
    check(mutated(_MAILS, random.Random(seed))[:60_000])


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*.eml")), ids=lambda path: path.stem)
def test_what_the_fuzzer_kept_is_borne(seed: Path) -> None:
    check(seed.read_bytes())


# Two inputs of the fuzzer that were 200 kB each, rebuilt: a notice that never ends its headers among 190,000 empty
# lines (0.3 s of CPU), and 3,000 objects opened on one line of a mail that a gateway bounced in prose.
ENDLESS_BLANKS = (
    b"""Return-Path: <>
From: "Maildeliver a message for
    the following list of recipients:

kijitora@neko.example.jp: Domain does not exist

    Below is a copy of the original message:

Subject: TEST
"""
    + (b"\n" * 190 + b'y System" <m\n') * 1_000
)
OPENED_OBJECTS = b"""From: POSTMASTER@smtp-gw6-01.example.com
Subject: Undeliverable message

451.example.co.jp (%s[192.0.2.145])
------- Failure Reasons  --------

User  not listed in public Name & Address Book
kijitora@example.com

------- Returned Message --------
""" % (b'{"notificationType":"Bounce","bounce":{"bouncedRecipients":[' * 3_000)


@pytest.mark.parametrize(
    "raw",
    [
        ENDLESS_BLANKS,
        OPENED_OBJECTS,
        b"From: mailer-daemon@a.example\n\n" + b"<a@b.example>: 550 no\n" * 20_000,
        b"From: mailer-daemon@a.example\n\n550" + b" " * 300_000 + b"x",
        b"From: mailer-daemon@a.example\nContent-Type: text/html\n\n" + b"<style" * 60_000,
        b"From: mailer-daemon@a.example\n\n" + b"a" * 300_000 + b"@",
        b"Subject: " + b"=?utf-8?B?" * 20_000 + b"\n\nx",
        b"X: y\n" * 50_000 + b"\nx",
        report("delivery-status", "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 5_000, "x\n" * 5_000),
        report("feedback-report", "Original-Rcpt-To: a@b.example\n" * 20_000, "x"),
        dsn(diagnostic="smtp; " + "user " * 5_000),
        dsn(notice=">>> RCPT To:<a@b.example>\n<<< 550 no\n" * 5_000),
        b'Subject: x\n\n{"notificationType":' + b"[" * 100_000,
    ],
    ids=range(13),
)
def test_mails_made_to_be_slow_are_read(raw: bytes) -> None:
    check(raw)


def test_a_hundred_thousand_parts_of_nothing_are_read() -> None:
    head = b"From: mailer-daemon@a.example\nContent-Type: multipart/report; boundary=b\n\n"
    check(head + b"--b\n\n" * 100_000 + RETURNED.encode())
