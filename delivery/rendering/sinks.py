"""Where generated code puts its output: encoded bytes of a MIME part, text of a variable, or nowhere."""

from __future__ import annotations

from typing import Protocol

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

    def value(self, code: str) -> None:
        """Adds what a Python expression gives, escaped in HTML."""

    def piece(self, code: str) -> None:
        """Adds what a Python expression gives, which is a piece already."""

    def statements(self) -> list[str]:
        """The statements for everything since the last call."""


class ByteSink:
    """Pieces of quoted-printable; static text is laid out around the token without a break."""

    target = "o"

    def __init__(self, new_name: str) -> None:
        self._layout = Layout()
        self._pieces: list[str] = []
        self._name = new_name

    def static(self, text: str) -> None:
        """Lays out the text."""
        first, *rest = text.split(HOLE)
        self._layout.text(first)
        for part in rest:
            self._layout.hole("t", URL_LENGTH)
            self._layout.text(part)

    def value(self, code: str) -> None:
        """Encodes the value: a str through the cache, anything else by a call."""
        name = self._name
        self.piece(f"(C[{name}] if ({name} := {code}).__class__ is str else X({name}))")

    def filtered(self, code: str, table: str) -> None:
        """Looks the value up in the table."""
        name = self._name
        self.piece(f"({table}[{name}] if ({name} := {code}).__class__ is str else {table}.of({name}))")

    def piece(self, code: str) -> None:
        """Adds bytes that start at column 0 and end with a line break."""
        self._lay_down()
        self._pieces.append(code)

    def statements(self) -> list[str]:
        """`o += (…)` for all pieces."""
        self._lay_down()
        pieces, self._pieces = self._pieces, []
        return _additions("o", pieces)

    def _lay_down(self) -> None:
        self._pieces += [piece if isinstance(piece, str) else repr(piece) for piece in self._layout.end()]


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

    def value(self, code: str) -> None:
        """Adds the value as text; a plain str needs no call unless it is escaped."""
        self._pieces.append(f"S({code})" if self._escape else f"(x if (x := {code}).__class__ is str else P(x))")

    def piece(self, code: str) -> None:
        """Adds a str."""
        self._pieces.append(code)

    def statements(self) -> list[str]:
        """`list += (…)` for all pieces."""
        pieces, self._pieces = self._pieces, []
        return _additions(self.target, pieces)


class NoSink:
    """Nowhere: blocks of nothing but white space print nothing in Liquid, but their assignments count."""

    target = ""

    def static(self, text: str) -> None:
        """Drops the text."""

    def value(self, code: str) -> None:
        """Drops the value."""

    def piece(self, code: str) -> None:
        """Drops the piece."""

    def statements(self) -> list[str]:
        """None."""
        return []


def _additions(target: str, pieces: list[str]) -> list[str]:
    groups = [pieces[at : at + _MOST_AT_ONCE] for at in range(0, len(pieces), _MOST_AT_ONCE)]
    return [f"{target} += ({', '.join(group)},)" for group in groups]
