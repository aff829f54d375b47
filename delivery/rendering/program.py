"""The parts of a message as functions of the reader: compiled, or compiled around what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from campaigns.content.language import parse
from delivery.rendering.encoded_values import EncodedValues, EscapedValues
from delivery.rendering.expressions import Unsupported
from delivery.rendering.functions import Compiler, Encoders, Fixed
from delivery.rendering.mixed import MixedPart


class Part(Protocol):
    """Appends one reader's copy of a part to a list, as pieces."""

    def __call__(self, o: list[Any], c: Mapping[str, Any], t: bytes, s: str) -> None:
        """`c` is the context; `t` and `s` the token as bytes and text. Raises LiquidError or RenderError."""


def html_part(source: str, fixed: Fixed, text_values: EncodedValues) -> Part:
    """The HTML as pieces of quoted-printable, joined blindly; `text_values` are shared with the text part."""
    finished = EncodedValues()
    encoders = Encoders(EscapedValues(text_values, finished), finished, html=True)
    return _part(source, fixed, encoders, as_bytes=True)


def plain_part(source: str, fixed: Fixed, text_values: EncodedValues) -> Part:
    """The text as pieces of quoted-printable."""
    return _part(source, fixed, Encoders(text_values, text_values, html=False), as_bytes=True)


def text_part(source: str, fixed: Fixed) -> Part:
    """The part as pieces of plain text, for a subject."""
    values = EncodedValues()
    return _part(source, fixed, Encoders(values, values, html=False), as_bytes=False)


def _part(source: str, fixed: Fixed, encoders: Encoders, *, as_bytes: bool) -> Part:
    template = parse(source, html=encoders.html)
    try:
        return Compiler(template, fixed, encoders).function(template.nodes, as_bytes=as_bytes)
    except Unsupported:
        around = Compiler(template, fixed, encoders, whole=False)
        return MixedPart(template, fixed, around, values=encoders.finished if as_bytes else None)
