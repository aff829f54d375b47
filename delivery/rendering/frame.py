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
_HOLES = {HOLE: "token", MAIL_HOLE: "mail_token"}


@dataclass(frozen=True, slots=True)
class Frame:
    """`names` and `values` are the headers in order, a value as bytes and names of holes."""

    names: tuple[bytes, ...]
    values: tuple[tuple[bytes | str, ...], ...]
    text: bytes
    html: bytes
    end: bytes
    block: tuple[bytes | str, ...]
    """All headers and the empty line after them, neighbouring bytes joined."""

    def headers(self, holes: Mapping[str, bytes]) -> list[bytes]:
        """The header block, its holes filled."""
        return _filled(self.block, holes)

    def fields(self, holes: Mapping[str, bytes]) -> list[tuple[bytes, bytes]]:
        """The headers one by one, for a signature."""
        filled = (b"".join(_filled(value, holes)) for value in self.values)
        return list(zip(self.names, filled, strict=True))


def _filled(value: tuple[bytes | str, ...], holes: Mapping[str, bytes]) -> list[bytes]:
    return [holes[piece] if isinstance(piece, str) else piece for piece in value]


def frame_of(from_name: str, from_email: str, shared: Mapping[str, str], boundary: str) -> Frame:
    """The frame of a message with a text and an HTML part. `shared` are headers in ASCII, with holes."""
    values: dict[str, tuple[bytes | str, ...]] = {
        "From": (mailbox(from_name, from_email, len("From: ")),),
        "To": ("to",),
        "Subject": ("subject",),
        "Date": ("date",),
        **{name: _with_holes(_folded(name, value)) for name, value in shared.items()},
        "Content-Type": (f'multipart/alternative;\r\n boundary="{boundary}"'.encode(),),
    }
    names = tuple(name.encode() for name in values)
    return Frame(
        names,
        tuple(values.values()),
        text=f"--{boundary}\r\n{_PART.format('plain')}".encode(),
        html=f"\r\n--{boundary}\r\n{_PART.format('html')}".encode(),
        end=f"\r\n--{boundary}--\r\n".encode(),
        block=_block(values),
    )


def _folded(name: str, value: str) -> str:
    """One address on a line; 76 columns are a should (RFC 5322 section 2.1.1), an address cannot be cut."""
    return value.replace(", <", ",\r\n <") if name == "List-Unsubscribe" else value


def _with_holes(value: str) -> tuple[bytes | str, ...]:
    parts = re.split(f"([{HOLE}{MAIL_HOLE}])", value)
    return tuple(_HOLES[part] if part in _HOLES else part.encode() for part in parts if part)


def _block(values: Mapping[str, tuple[bytes | str, ...]]) -> tuple[bytes | str, ...]:
    pieces: list[bytes | str] = []
    for name, value in values.items():
        pieces += (f"{name}: ".encode(), *value, b"\r\n")
    return _merged([*pieces, b"\r\n"])


def _merged(pieces: list[bytes | str]) -> tuple[bytes | str, ...]:
    merged: list[bytes | str] = []
    for piece in pieces:
        last = merged[-1] if merged else ""
        if isinstance(piece, bytes) and isinstance(last, bytes):
            merged[-1] = last + piece
        else:
            merged.append(piece)
    return tuple(merged)
