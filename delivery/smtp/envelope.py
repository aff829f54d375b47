"""What the client is given to send, and the checks that keep a malformed address or body off the wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from delivery.smtp.features import Features

# Printable ASCII without space and angle brackets: a CR or LF would smuggle a command, a space or ">" a parameter.
# RFC 5321 section 4.5.3.1 allows 64 octets before the "@" and 255 after.
_PLAIN_ADDRESS = re.compile(rb"[!-;=?-~]{1,320}\Z").match
_UTF8_ADDRESS = re.compile(r"[^\x00-\x20\x7f-\xa0<>\u2028\u2029]{1,320}\Z").match


class Envelope(NamedTuple):
    """One message for one recipient.

    `key` is opaque to the client and comes back with the outcome. `sender` and `recipient` are bare addresses
    (no angle brackets), UTF-8 where `smtputf8`. `data` is the whole message with CRLF line ends, dot-stuffed
    (RFC 5321 section 4.5.2), ending in CRLF, without the final dot line. `eightbit`: the body has bytes above 127.
    """

    key: Any
    sender: bytes
    recipient: bytes
    data: bytes
    smtputf8: bool = False
    eightbit: bool = False


def problem_with(envelope: Envelope, features: Features) -> str | None:
    """Why this envelope must not be sent over a connection with these features, or None if it may."""
    sender, recipient, data = envelope.sender, envelope.recipient, envelope.data
    if not _PLAIN_ADDRESS(recipient) or (sender and not _PLAIN_ADDRESS(sender)) or envelope.smtputf8:
        problem = _problem_with_addresses(envelope, features)
        if problem:
            return problem
    if not data.endswith(b"\r\n"):
        return "the message does not end in CRLF"
    if len(data) > features.size > 0:
        return f"the message has {len(data)} bytes, the server announces a limit of {features.size}"
    return None


def _problem_with_addresses(envelope: Envelope, features: Features) -> str | None:
    for name, address in (("sender", envelope.sender), ("recipient", envelope.recipient)):
        if not address:
            if name == "recipient":
                return "the recipient address is empty"
            continue
        try:
            text = address.decode()
        except UnicodeDecodeError:
            return f"the {name} address is not UTF-8"
        if not _UTF8_ADDRESS(text):
            return f"the {name} address has a control character, a space or an angle bracket, or is too long"
    if features.smtputf8:
        return None
    if envelope.sender.isascii() and envelope.recipient.isascii():
        return "the message needs SMTPUTF8 for its headers, which the server does not announce"
    return "the address is not ASCII and needs SMTPUTF8, which the server does not announce"


def dot_stuffed(message: bytes) -> bytes:
    """A message as `Envelope.data` wants it: CRLF line ends, leading dots doubled, a CRLF at the end."""
    lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines)


def unstuffed(data: bytes) -> bytes:
    """The inverse of dot-stuffing, for BDAT, which counts bytes and needs no stuffing (RFC 3030)."""
    if data.startswith(b".."):
        data = data[1:]
    return data.replace(b"\r\n..", b"\r\n.")
