"""Bounces written for people alone."""

from __future__ import annotations

import pytest

from delivery.inbound.parse import parse_reports
from delivery.inbound.report import Report, ReportKind, Stage
from tests.delivery.inbound.mails import TOKEN, prose


def all_of(raw: bytes) -> list[Report]:
    """The reports of a mail that can be read."""
    reports = parse_reports(raw)
    assert isinstance(reports, list)
    return reports


EXIM = """\
A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
The following address(es) failed:

  erin@gone.example
    SMTP error from remote mail server after RCPT TO:<erin@gone.example>:
    host mx.gone.example [192.0.2.1]: 550 5.1.1 <erin@gone.example>... User unknown
"""
QMAIL = """\
Hi. This is the qmail-send program at relay.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<erin@gone.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 <erin@gone.example>... User unknown
Giving up on 192.0.2.1.
"""
EXCHANGE = """\
Your message

  To:      someone@else.example
  Subject: Spring sale

did not reach the following recipient(s):

erin@gone.example on Thu, 29 Apr 2010 00:00:00 -0000
    The recipient name is not recognized
"""
DOMINO = """\
Your message

  Subject: Spring sale

was not delivered to:

  erin@gone.example

because:

  User Erin (erin@gone.example) not listed in Domino Directory
"""
YAHOO = """\
Sorry, we were unable to deliver your message to the following address.

<erin@gone.example>:
550: 5.1.1 <erin@gone.example>... User unknown
"""
QQ = """\
抱歉，您的邮件被退回来了……

收件人邮件地址：
erin@gone.example

退信原因：收件人邮件地址不存在，邮件无法送达。 host mx said: 550 Mailbox not found
"""


@pytest.mark.parametrize("text", [EXIM, QMAIL, EXCHANGE, DOMINO, YAHOO, QQ])
def test_the_recipient_is_found_whoever_wrote_the_notice(text: str) -> None:
    (bounce,) = all_of(prose(text))
    assert (bounce.kind, bounce.detector, bounce.recipient) == (ReportKind.BOUNCE, "prose", "erin@gone.example")
    assert bounce.verp_token == TOKEN
    assert bounce.original_message_id == f"{TOKEN}@shop.example"


@pytest.mark.parametrize("text", [EXIM, QMAIL])
def test_code_and_stage_come_from_the_words(text: str) -> None:
    (bounce,) = all_of(prose(text))
    assert (bounce.enhanced, bounce.reply_code, bounce.stage) == ("5.1.1", 550, Stage.RCPT)


def test_each_recipient_keeps_its_own_reason() -> None:
    text = QMAIL + "\n<dave@full.example>:\nRemote host said: 552 5.2.2 Mailbox full\n"
    erin, dave = all_of(prose(text))
    assert (erin.recipient, erin.enhanced) == ("erin@gone.example", "5.1.1")
    assert (dave.recipient, dave.enhanced, dave.reply_code) == ("dave@full.example", "5.2.2", 552)


def test_recipients_with_one_reason_below_them_share_it() -> None:
    text = "Delivery to these recipients failed:\n<a@b.example>\n<c@d.example>\n550 5.1.1 User unknown here, sorry\n"
    assert [(one.recipient, one.enhanced) for one in all_of(prose(text))] == [
        ("a@b.example", "5.1.1"),
        ("c@d.example", "5.1.1"),
    ]


def test_the_failed_recipients_header_goes_before_the_text() -> None:
    raw = b"X-Failed-Recipients: a@b.example, c@d.example\n" + prose("It failed. Mail to x@y.example did not go.")
    assert [one.recipient for one in all_of(raw)] == ["a@b.example", "c@d.example"]


def test_a_warning_is_a_delay_and_no_bounce() -> None:
    text = (
        "THIS IS A WARNING MESSAGE ONLY.\nDelivery to the following recipient has been delayed:\n erin@gone.example\n"
    )
    (delay,) = all_of(prose(text, subject="Delivery Status Notification (Delay)"))
    assert (delay.kind, delay.recipient) == (ReportKind.DELAY, "erin@gone.example")


def test_an_html_notice_is_read() -> None:
    raw = prose("x").replace(
        b"\n\nx\n",
        b"\nContent-Type: text/html\n\n<p>Delivery failed to &lt;a@b.example&gt;:</p><p>550 5.1.1 no such user</p>\n",
    )
    (bounce,) = all_of(raw)
    assert (bounce.recipient, bounce.enhanced) == ("a@b.example", "5.1.1")


def test_an_answer_of_a_person_is_no_bounce() -> None:
    raw = prose(
        "Thanks! My order was not delivered yet, could you check?",
        sender="erin@gone.example",
        subject="Re: Spring sale",
    )
    (unknown,) = all_of(raw)
    assert unknown.kind == ReportKind.UNKNOWN
