"""Builders, recipients and a reader of messages for the tests of delivery.mime."""

from __future__ import annotations

import datetime as dt
import email
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import Any

from campaigns.content.source import Content, LinkSlot
from delivery.mime import Identity, MessageBuilder, Recipient, Signer

SECRET = bytes(range(32))
TOKEN = "T0-_" * 5 + "Ab"
MAIL_TOKEN = "0123456789abcdef" * 2
DATE = "Mon, 05 Oct 2026 10:00:00 +0000"
CONSTANTS = {
    "brand": {"name": "Bärn & Co", "postal_address": "Mill Lane 3\n8000 Zürich", "website": "https://kiln.example"},
    "campaign": {"name": "October", "subject": "October"},
    "now": dt.datetime(2026, 10, 5, tzinfo=dt.UTC),
}
LINKS = (
    LinkSlot(0, "https://x.example/?a=1&b=2"),
    LinkSlot(1, "https://y.example/%C3%A9"),
    LinkSlot(2, "{{ contact.url }}", dynamic=True),
)
IDENTITY = Identity(
    from_name="Kiln & Co",
    from_email="news@news.kiln.example",
    reply_to="",
    sending_domain="news.kiln.example",
    bounce_domain="bounce.kiln.example",
    list_id="list-7.kiln.news.kiln.example",
    list_name="Letters",
    feedback_id="42:kiln:campaign:fanfare",
    tracking_origin="https://go.kiln.example",
    unsubscribe_mailbox_domain="bounce.kiln.example",
    track_opens=True,
    track_clicks=True,
)


def content(html: str = "<p>Hello</p>", text: str = "Hello\n", subject: str = "A subject") -> Content:
    """Compiled content as it is, slot tags included."""
    return Content(subject, "", html, text, LINKS, ())


def builder(compiled: Content, signer: Signer | None = None, **identity: Any) -> MessageBuilder:
    """A builder for campaign 42."""
    who = replace(IDENTITY, **identity)
    return MessageBuilder(compiled, who, constants=CONSTANTS, link_secret=SECRET, campaign_id=42, signer=signer)


def recipient(address: str = "zoe@example.com", name: str = "Zoë", **contact: Any) -> Recipient:
    """A recipient whose context is a contact with these fields."""
    return Recipient(address, name, TOKEN, MAIL_TOKEN, {"contact": contact})


def built(compiled: Content, to: Recipient | None = None, **identity: Any) -> bytes:
    """The message of the fast path."""
    return builder(compiled, **identity).build(to or recipient(), date_header=DATE.encode())


def parsed(message: bytes) -> EmailMessage:
    """A message as a mail program reads it."""
    found = email.message_from_bytes(message, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def raw_header(message: bytes, name: str) -> str:
    """A header's value, unfolded, still encoded."""
    head = message.partition(b"\r\n\r\n")[0].decode()
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    return next(line.partition(": ")[2] for line in unfolded.split("\r\n") if line.startswith(f"{name}: "))


def decoded(value: str) -> str:
    """A value with its encoded words decoded; the email package's own parser keeps blanks between two of them."""
    return str(make_header(decode_header(value)))


def headers_of(message: bytes) -> dict[str, str]:
    """All headers with the names and values a reader sees."""
    found = {name: str(value) for name, value in parsed(message).items() if name not in {"To", "Content-Type"}}
    phrase, bracket, address = raw_header(message, "To").rpartition("<")
    shown = decoded(phrase).replace('"', "").replace("\\", "").strip() if bracket else ""
    return found | {"To": f"{shown} <{address.rstrip('>')}>"}


def parts_of(message: bytes) -> dict[str, str]:
    """The decoded parts by content type, with LF line ends and none at the end."""
    parts = [part for part in parsed(message).walk() if not part.is_multipart()]
    return {part.get_content_type(): _text(part) for part in parts}


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def check_wire(message: bytes) -> None:
    """What every message must be on the wire: CRLF only, no dot in front, lines of 76 in the body and 998 before."""
    head, _, body = message.partition(b"\r\n\r\n")
    assert message.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message)
    assert not re.search(rb"(?:\A|\n)\.", message)
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert body.isascii()
