"""A received message as its simulated reader sees it: who it is to, where its links lead, how to leave."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

_HREF = re.compile(r"""(?:href|src)=["']([^"']+)["']""", re.IGNORECASE)
_WAY = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Letter:
    """Addresses are those of the envelope; links hold only those of the tracking origin."""

    recipient: str
    return_path: str
    subject: str
    message_id: str
    headers: bytes
    pixel: str
    clicks: tuple[str, ...]
    honeypot: str
    one_click: str
    mailto: str


def read_letter(raw: bytes, *, recipient: str, return_path: str, origin: str) -> Letter:
    """The letter in `raw`; what it does not have is an empty text."""
    message = parse(raw)
    links = _links(message, origin)
    ways = _WAY.findall(str(message.get("List-Unsubscribe", "")))
    return Letter(
        recipient=recipient,
        return_path=return_path,
        subject=str(message.get("Subject", "")),
        message_id=str(message.get("Message-ID", "")).strip(),
        headers=raw.partition(b"\r\n\r\n")[0],
        pixel=next((link for link in links if link.startswith(f"{origin}/o/")), ""),
        clicks=tuple(link for link in links if link.startswith((f"{origin}/c/", f"{origin}/d/"))),
        honeypot=next((link for link in links if link.startswith(f"{origin}/h/")), ""),
        one_click=next((way for way in ways if way.startswith(f"{origin}/")), ""),
        mailto=next((way.removeprefix("mailto:") for way in ways if way.startswith("mailto:")), ""),
    )


def parse(raw: bytes) -> EmailMessage:
    """The message with the email package's present-day policy."""
    return message_from_bytes(raw, policy=policy.default)


def body_of(message: EmailMessage, subtype: str) -> str:
    """The text of the first text/`subtype` part, or an empty text."""
    part = message.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""


def _links(message: EmailMessage, origin: str) -> list[str]:
    found = (html.unescape(link) for link in _HREF.findall(body_of(message, "html")))
    return list(dict.fromkeys(link for link in found if link.startswith(f"{origin}/")))
