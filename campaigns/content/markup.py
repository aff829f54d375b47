"""A small, tolerant scanner of HTML and MJML: where tags, attributes, comments and text begin and end.

Nothing here rewrites: positions are exact, so that callers can replace an attribute's value and leave every other byte
of a hand-tuned e-mail as it was. One pass, linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "start", "end", "comment", "declaration", "raw"]

# Elements whose content is not markup up to their end tag.
RAW_ELEMENTS = frozenset({"style", "script", "title", "textarea", "xmp", "mj-style", "mj-title", "mj-preview"})
VOID_ELEMENTS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)

_TAG = re.compile(r"""<(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?""")
_CONDITIONAL = re.compile(r"<!--\[if\b[^\]]*\]>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the source; `name` is the lower-case element name of start, end and raw pieces."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    self_closing: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a start tag. `start` and `end` bound the whole, `value_start` and `value_end` the bare value."""

    name: str
    value: str
    start: int
    end: int
    value_start: int
    value_end: int
    quote: str


def pieces(source: str, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """Cuts a source into pieces without a gap. An opening that never ends makes the rest text."""
    at, stop = start, len(source) if end is None else end
    while at < stop:
        opening = source.find("<", at, stop)
        if opening < 0:
            opening = stop
        if opening > at:
            yield Piece("text", at, opening)
        if opening == stop:
            return
        piece = _markup_at(source, opening, stop)
        if piece.kind == "text" and piece.end == stop:
            yield piece
            return
        yield piece
        at = piece.end
        if piece.kind == "start" and piece.name in RAW_ELEMENTS and not piece.self_closing:
            raw_end = _raw_end(source, piece, stop)
            yield Piece("raw", at, raw_end, piece.name)
            at = raw_end


def _markup_at(source: str, at: int, stop: int) -> Piece:
    if source.startswith("<!--", at):
        return Piece("comment", at, _after(source, "-->", at + 4, stop))
    if source.startswith(("<!", "<?"), at):
        return Piece("declaration", at, _after(source, ">", at + 2, stop))
    if not source[at + 1 : at + 2].isalpha() and not source.startswith("</", at):
        return Piece("text", at, at + 1)
    found = _TAG.match(source, at, stop)
    if not found:
        # Nothing closes this tag: trying again at each "<" after it would take quadratic time.
        return Piece("text", at, stop)
    kind: Kind = "end" if found["slash"] else "start"
    return Piece(kind, at, found.end(), found["name"].lower(), source.endswith("/>", at, found.end()))


def _after(source: str, closing: str, at: int, stop: int) -> int:
    found = source.find(closing, at, stop)
    return stop if found < 0 else found + len(closing)


def _raw_end(source: str, piece: Piece, stop: int) -> int:
    found = re.compile(rf"</{re.escape(piece.name)}\s*>", re.IGNORECASE).search(source, piece.end, stop)
    return found.start() if found else stop


def attributes(source: str, piece: Piece) -> Iterator[Attribute]:
    """The attributes of a start tag, in order."""
    end = piece.end - (2 if piece.self_closing else 1)
    for found in _ATTRIBUTE.finditer(source, piece.start + 1 + len(piece.name), end):
        written = found.group(2) or ""
        quote = written[0] if written[:1] in {'"', "'"} else ""
        start, stop = (found.start(2), found.end(2)) if found.group(2) else (found.end(), found.end())
        start, stop = start + len(quote), stop - len(quote)
        yield Attribute(found.group(1).lower(), source[start:stop], found.start(), found.end(), start, stop, quote)


def conditional_body(source: str, piece: Piece) -> tuple[int, int] | None:
    """Bounds of the markup inside a comment that Outlook reads, `<!--[if mso]>…<![endif]-->`, or None."""
    opening = _CONDITIONAL.match(source, piece.start, piece.end)
    if not opening:
        return None
    closing = source.rfind("<![endif]-->", opening.end(), piece.end)
    return (opening.end(), closing) if closing >= 0 else None


def deep_pieces(source: str, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """All pieces, with those inside Outlook's conditional comments in place of the comment."""
    for piece in pieces(source, start, end):
        bounds = conditional_body(source, piece) if piece.kind == "comment" else None
        if bounds:
            yield from pieces(source, *bounds)
        else:
            yield piece
