"""Where generated code puts its output: encoded bytes of a MIME part, text of a variable, or nowhere."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from delivery.rendering.addresses import HOLE
from delivery.rendering.quoted_printable import Layout
from delivery.tracking.tokens import URL_LENGTH

# Python builds a tuple display of more than 30 elements through a list, which takes half as long again.
_MOST_AT_ONCE = 28


class Sink(Protocol):
    """Collects pieces and turns them into statements that add them to a list."""

    @property
    def target(self) -> str:
        """The Python name of the list, or nothing."""

    def static(self, text: str) -> None:
        """Adds text; holes in it are the reader's token."""

    def value(self, code: str, direct: str | None = None) -> None:
        """Adds what a Python expression gives, escaped in HTML.

        `direct` gives the same where it raises neither KeyError nor TypeError.
        """

    def piece(self, code: str, direct: str | None = None) -> None:
        """Adds what a Python expression gives, which is a piece already."""

    def statements(self) -> list[str]:
        """The statements for everything since the last call."""


class ByteSink:
    """Pieces of quoted-printable; static text is laid out around the token without a break.

    A value that is a plain member of the reader's data has two codes: `C[r0['first_name']]` for when it is there, and a
    longer one for when it is not, or is a list. The short ones take half the time, and one `try` serves 28 pieces.
    """

    target = "o"

    def __init__(self) -> None:
        self._layout = Layout()
        self._pieces: list[_Piece] = []

    def static(self, text: str) -> None:
        """Lays out the text."""
        first, *rest = text.split(HOLE)
        self._layout.text(first)
        for part in rest:
            self._layout.hole("t", URL_LENGTH)
            self._layout.text(part)

    def value(self, code: str, direct: str | None = None) -> None:
        """Encodes the value: a str through the cache, anything else by a call."""
        slow = f"(C[x] if (x := {code}).__class__ is str else X(x))"
        self.piece(slow, f"C[{direct}]" if direct else None)

    def filtered(self, code: str, table: str) -> None:
        """Looks the value up in a table of filtered values."""
        self.piece(f"({table}[x] if (x := {code}).__class__ is str else {table}.other(x))")

    def defaulted(self, code: str, default: str) -> None:
        """Encodes the value where it is a text that is not empty, else what `default` gives for the name x."""
        self.piece(f"(C[x] if (x := {code}).__class__ is str and x else Y({default}))")

    def piece(self, code: str, direct: str | None = None) -> None:
        """Adds bytes that start at column 0 and end with a line break."""
        self._lay_down()
        self._pieces.append(_Piece(code, direct or code))

    def statements(self) -> list[str]:
        """`o += (…)` for all pieces."""
        self._lay_down()
        pieces, self._pieces = self._pieces, []
        groups = [pieces[at : at + _MOST_AT_ONCE] for at in range(0, len(pieces), _MOST_AT_ONCE)]
        return [line for group in groups for line in _tried(group)]

    def _lay_down(self) -> None:
        for piece in self._layout.end():
            code = piece if isinstance(piece, str) else repr(piece)
            self._pieces.append(_Piece(code, code))


class _Piece(NamedTuple):
    code: str
    direct: str


def _tried(group: list[_Piece]) -> list[str]:
    slow = _addition("o", [piece.code for piece in group])
    direct = _addition("o", [piece.direct for piece in group])
    if direct == slow:
        return [slow]
    # Nothing is appended before all of the tuple is made; making a piece twice does no harm.
    return ["try:", f"    {direct}", "except (KeyError, TypeError):", f"    {slow}"]


class TextSink:
    """Pieces of text: a captured variable, an address, a subject."""

    def __init__(self, target: str, *, escape: bool) -> None:
        self.target = target
        self._escape = escape
        self._pieces: list[str] = []

    def static(self, text: str) -> None:
        """Adds the text; the token is a str here."""
        first, *rest = text.split(HOLE)
        self._pieces += [repr(first)] if first else []
        for part in rest:
            self._pieces += ["s", repr(part)] if part else ["s"]

    def value(self, code: str, direct: str | None = None) -> None:  # noqa: ARG002 no use without a cache
        """Adds the value as text; a plain str needs no call unless it is escaped."""
        self._pieces.append(f"S({code})" if self._escape else f"(x if (x := {code}).__class__ is str else P(x))")

    def piece(self, code: str, direct: str | None = None) -> None:  # noqa: ARG002
        """Adds a str."""
        self._pieces.append(code)

    def statements(self) -> list[str]:
        """`list += (…)` for all pieces."""
        pieces = self.take()
        groups = [pieces[at : at + _MOST_AT_ONCE] for at in range(0, len(pieces), _MOST_AT_ONCE)]
        return [_addition(self.target, group) for group in groups]

    def take(self) -> list[str]:
        """The code of all pieces since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces


class NoSink:
    """Nowhere: blocks of nothing but white space print nothing in Liquid, but their assignments count."""

    target = ""

    def static(self, text: str) -> None:
        """Drops the text."""

    def value(self, code: str, direct: str | None = None) -> None:
        """Drops the value."""

    def piece(self, code: str, direct: str | None = None) -> None:
        """Drops the piece."""

    def statements(self) -> list[str]:
        """None."""
        return []


def _addition(target: str, pieces: list[str]) -> str:
    return f"{target} += ({', '.join(pieces)},)"
