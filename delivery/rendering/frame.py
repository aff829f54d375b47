"""What surrounds a message's parts: headers and boundaries, encoded once, with holes for what is a reader's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from delivery.rendering.addresses import HOLE
from delivery.rendering.headers import mailbox

MAIL_HOLE = "\x01"
"""Stands for the reader's mail token (32 hex digits) in header texts."""

_PART = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_HOLES = {HOLE: b"%(token)b", MAIL_HOLE: b"%(mail_token)b"}


@dataclass(frozen=True, slots=True)
class Frame:
    """`names` and `values` are the headers in order; values are formats with holes such as `%(token)b`."""

    names: tuple[bytes, ...]
    values: tuple[bytes, ...]
    headers: bytes
    """The format of all headers and the empty line after them."""
    text: bytes
    html: bytes
    end: bytes

    def fields(self, holes: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """The headers one by one, for a signature."""
        return [(name, value % holes) for name, value in zip(self.names, self.values, strict=True)]


def frame_of(from_name: str, from_email: str, shared: Mapping[str, str], boundary: str) -> Frame:
    """The frame of a message with a text and an HTML part. `shared` are headers in ASCII, with holes."""
    values = {
        "From": _format(mailbox(from_name, from_email, len("From: "))),
        "To": b"%(to)b",
        "Subject": b"%(subject)b",
        "Date": b"%(date)b",
        **{name: _with_holes(_folded(name, value)) for name, value in shared.items()},
        "Content-Type": _format(f'multipart/alternative;\r\n boundary="{boundary}"'.encode()),
    }
    names = tuple(name.encode() for name in values)
    return Frame(
        names,
        tuple(values.values()),
        headers=b"".join(b"%b: %b\r\n" % field for field in zip(names, values.values(), strict=True)) + b"\r\n",
        text=f"--{boundary}\r\n{_PART.format('plain')}".encode(),
        html=f"\r\n--{boundary}\r\n{_PART.format('html')}".encode(),
        end=f"\r\n--{boundary}--\r\n".encode(),
    )


def _folded(name: str, value: str) -> str:
    """One address on a line; 76 columns are a should (RFC 5322 section 2.1.1), an address cannot be cut."""
    return value.replace(", <", ",\r\n <") if name == "List-Unsubscribe" else value


def _with_holes(value: str) -> bytes:
    parts = re.split(f"([{HOLE}{MAIL_HOLE}])", value)
    return b"".join(_HOLES[part] if part in _HOLES else _format(part.encode()) for part in parts)


def _format(literal: bytes) -> bytes:
    """The literal as a format that gives it."""
    return literal.replace(b"%", b"%%")
