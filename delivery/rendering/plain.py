"""The reference message: python-liquid and the standard library's email package, for tests and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from campaigns.content.source import Rendered
from delivery.rendering.headers import clean, wire_address

# The email package folds a long address in List-Unsubscribe into encoded words, which no mailbox provider reads.
_POLICY = SMTP.clone(max_line_length=900)


def plain_message(headers: Mapping[str, str], rendered: Rendered, *, boundary: str) -> EmailMessage:
    """A message of two parts with these headers in order; addresses in them are as `address_header` makes them."""
    utf8 = not headers["To"].rpartition("<")[2].isascii()
    message = EmailMessage(_POLICY.clone(utf8=utf8))
    for name, value in headers.items():
        message[name] = value
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message.set_boundary(boundary)
    return message


def address_header(name: str, address: str) -> str:
    """A mailbox as text, its name quoted where needed."""
    local, _, domain = wire_address(address).rpartition("@")
    return str(Address(clean(name), local, domain))
