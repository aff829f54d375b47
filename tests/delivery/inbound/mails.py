"""Builds the returned mails that the tests read: small, complete, and each in the form of one real mail system."""

from __future__ import annotations

TOKEN = "0123456789abcdef0123456789abcdef"

RETURNED = f"""\
Return-Path: <b+{TOKEN}@bounce.shop.example>
From: Shop <news@shop.example>
To: Erin <erin@gone.example>
Subject: Spring sale
Message-ID: <{TOKEN}@shop.example>
List-Unsubscribe: <https://u.shop.example/u/AbCdEfGhIjKlMnOpQrStUv>, <mailto:u+{TOKEN}@bounce.shop.example>
Feedback-ID: 7:shop:fanfare:1
"""


def dsn(
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <erin@gone.example>: Recipient address rejected: User unknown",
    *,
    action: str = "failed",
    recipient: str = "erin@gone.example",
    notice: str = "Your message could not be delivered.",
) -> bytes:
    """A Postfix-like multipart/report (RFC 3464) about one recipient."""
    fields = f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
    fields += f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    return report("delivery-status", f"Reporting-MTA: dns; mx.relay.example\n\n{fields}", notice)


def arf(fields: str = "Feedback-Type: abuse\nUser-Agent: FBL/1.0\nVersion: 1\n", returned: str = RETURNED) -> bytes:
    """A feedback report (RFC 5965)."""
    return report("feedback-report", fields, "This is an abuse report.", returned)


def report(kind: str, fields: str, notice: str, returned: str = RETURNED) -> bytes:
    """multipart/report with a notice, machine-readable fields and the returned headers."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@relay.example (Mail Delivery System)
To: b+{TOKEN}@bounce.shop.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

{notice}

--=_b
Content-Type: message/{kind}

{fields}
--=_b
Content-Type: text/rfc822-headers

{returned}
--=_b--
""".encode()


def prose(text: str, *, sender: str = "MAILER-DAEMON@relay.example", subject: str = "failure notice") -> bytes:
    """A bounce written for people, with our message below it."""
    return f"""\
Return-Path: <>
From: {sender}
To: b+{TOKEN}@bounce.shop.example
Subject: {subject}

{text}

--- Below this line is a copy of the message.

{RETURNED}
""".encode()
