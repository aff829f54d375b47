"""Quoted-printable (RFC 2045 section 6.7) in pieces that can be joined blindly.

Every piece starts at column 0 and ends with a line break, soft where the text goes on; no line is longer than 76
characters and none begins with a dot, so the joined body needs no dot-stuffing (RFC 5321 section 4.5.2).
"""

from __future__ import annotations

import binascii
import re

SOFT_BREAK = b"=\r\n"
_WIDTH = 75  # one column is left for the "=" of a soft break

_LITERAL = re.compile(r"[!-<>-~ \t]").match
_UNITS = re.compile(r"\n|[!-<>-~]+|[ \t]|[^\n!-<>-~ \t]+")
is_plain_line = re.compile(r"[ -\-/-<>-~][ -<>-~]{0,74}").fullmatch
"""At most 75 printable characters, no "=", no dot in front: a text that needs only its soft break."""


def normal_newlines(text: str) -> str:
    """The text with LF for CRLF and for lone CR."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Layout:
    """Lays out text, and holes of a known width that are filled per reader, into encoded lines.

    A hole (such as a 22-character token) takes its columns without a break around it. What fills it must be characters
    that stand for themselves, without a dot in front.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes | str] = []
        self._piece = bytearray()
        self._column = 0

    def text(self, text: str) -> None:
        """Adds text."""
        for unit in _UNITS.findall(normal_newlines(text)):
            if unit == "\n":
                self._hard_break()
            elif _LITERAL(unit):
                self._literal(unit.encode())
            else:
                for byte in unit.encode("utf-8", "replace"):
                    self._encoded(byte)

    def hole(self, name: str, width: int) -> None:
        """Adds a hole of `width` characters, at most 75."""
        self._make_room(width)
        self._pieces += (bytes(self._piece), name)
        self._piece.clear()
        self._column += width

    def end(self) -> list[bytes | str]:
        """The pieces of bytes and names of holes in order; the layout is empty again and at column 0."""
        if self._column:
            self._piece += SOFT_BREAK
        pieces = [*self._pieces, bytes(self._piece)]
        self._pieces, self._column = [], 0
        self._piece.clear()
        return [piece for piece in pieces if piece]

    def _make_room(self, width: int) -> None:
        if self._column + width > _WIDTH:
            self._piece += SOFT_BREAK
            self._column = 0

    def _encoded(self, byte: int) -> None:
        self._make_room(3)
        self._piece += b"=%02X" % byte
        self._column += 3

    def _literal(self, run: bytes) -> None:
        while run:
            self._make_room(1)
            if not self._column and run.startswith(b"."):
                self._encoded(run[0])
                run = run[1:]
                continue
            part = run[: _WIDTH - self._column]
            self._piece += part
            self._column += len(part)
            run = run[len(part) :]

    def _hard_break(self) -> None:
        # A blank at the end of a line would be taken for padding added in transport.
        if self._column and self._piece.endswith((b" ", b"\t")):
            blank = self._piece.pop()
            self._column -= 1
            self._encoded(blank)
        self._piece += b"\r\n"
        self._column = 0


def encode_around(hole: str, width: int, text: str) -> tuple[bytes, ...]:
    """A text with holes as the pieces around them: `filling.join(pieces)` is one piece."""
    layout = Layout()
    first, *rest = text.split(hole)
    layout.text(first)
    for part in rest:
        layout.hole(hole, width)
        layout.text(part)
    parts = [b""]
    for piece in layout.end():
        if isinstance(piece, bytes):
            parts[-1] += piece
        else:
            parts.append(b"")
    return tuple(parts)


def encode(text: str) -> bytes:
    """One piece for a text of any length; nothing for nothing."""
    if is_plain_line(text):
        return text.encode("ascii") + SOFT_BREAK
    if "\n" not in text and "\r" not in text:
        quoted = binascii.b2a_qp(text.encode("utf-8", "replace"), istext=False)
        if len(quoted) <= _WIDTH and quoted[:1] != b".":
            return quoted + SOFT_BREAK if quoted else b""
    layout = Layout()
    layout.text(text)
    return b"".join(piece for piece in layout.end() if isinstance(piece, bytes))


def decoded(body: bytes) -> str:
    """The text of a body of such pieces, with LF as line end."""
    return binascii.a2b_qp(body).decode("utf-8", "replace").replace("\r\n", "\n")
