"""Mail that comes back: a delivery report (RFC 3464), a complaint (RFC 5965), an unsubscribe by mail. Pure."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from deploy.demo.catcher.letter import Letter

_DSN = """\
From: Mail Delivery System <MAILER-DAEMON@{reporter}>
To: <{return_path}>
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <{ident}@{reporter}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{ident}"

--{ident}
Content-Type: text/plain; charset=utf-8

This is the mail system at host {reporter}.

Your message could not be delivered to the recipient below. (This is the demo's
simulated mail system: no mail has left this machine.)

<{recipient}>: host {reporter} said: {words}

--{ident}
Content-Type: message/delivery-status

Reporting-MTA: dns; {reporter}
Arrival-Date: {date}

Final-Recipient: {kind}; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {words}

--{ident}
Content-Type: {returned}

"""

_ARF = """\
From: Feedback Loop <fbl@{reporter}>
To: <{to}>
Subject: FW: complaint about a message
Date: {date}
Message-ID: <{ident}@{reporter}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="{ident}"

--{ident}
Content-Type: text/plain; charset=utf-8

This is an abuse report for a message that a simulated reader of the demo received.

--{ident}
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Fanfare-Demo/1.0
Version: 1
Original-Mail-From: <{return_path}>
Arrival-Date: {date}

--{ident}
Content-Type: {returned}

"""

_UNSUBSCRIBE = """\
From: <{recipient}>
To: <{to}>
Subject: unsubscribe
Date: {date}
Message-ID: <{ident}@{reporter}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

unsubscribe
"""


def make_dsn(letter: Letter, words: str, *, ident: str, at: datetime) -> bytes:
    """A report that `letter` failed for good; `words` is an SMTP reply with an enhanced code."""
    kind = "rfc822" if letter.recipient.isascii() else "utf-8"
    status = words.split()[1]
    return _filled(_DSN, letter, ident, at, kind=kind, status=status, words=words) + _tail(letter, ident)


def make_complaint(letter: Letter, *, ident: str, at: datetime) -> bytes:
    """The reader pressed "this is spam" and the receiver's feedback loop says so, without naming the reader."""
    return _filled(_ARF, letter, ident, at, to=complaints_address(letter)) + _tail(letter, ident)


def make_unsubscribe(letter: Letter, *, ident: str, at: datetime) -> bytes:
    """What a mail client sends to the mailto address of List-Unsubscribe (RFC 2369)."""
    return _filled(_UNSUBSCRIBE, letter, ident, at, to=letter.mailto.partition("?")[0])


def complaints_address(letter: Letter) -> str:
    """Where the sender of `letter` registered for feedback: an address at the bounce domain."""
    return f"complaints@{letter.return_path.rpartition('@')[2]}"


def _filled(form: str, letter: Letter, ident: str, at: datetime, **words: str) -> bytes:
    returned = "text/rfc822-headers" if letter.headers.isascii() else "message/global-headers"
    text = form.format(
        reporter=f"mx.{letter.recipient.rpartition('@')[2]}",
        recipient=letter.recipient,
        return_path=letter.return_path,
        date=format_datetime(at),
        ident=ident,
        returned=returned,
        **words,
    )
    return text.replace("\n", "\r\n").encode()


def _tail(letter: Letter, ident: str) -> bytes:
    return letter.headers + f"\r\n\r\n--{ident}--\r\n".encode()
