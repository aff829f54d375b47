"""One part of a message as a function of the reader: compiled where that can be done, else rendered chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from liquid import BoundTemplate, RenderContext
from markupsafe import escape

from campaigns.content.language import parse, walk
from campaigns.content.slots import SlotContext
from delivery.rendering.addresses import HOLE, Addresses, ReaderSlots
from delivery.rendering.codegen import Generator
from delivery.rendering.dynamic_links import DynamicLinks
from delivery.rendering.expressions import Scope, Unsupported
from delivery.rendering.fallback import ChunkPart
from delivery.rendering.quoted_printable import EncodedValues, EscapedValues
from delivery.rendering.runtime import encode_other, helpers
from delivery.rendering.sinks import ByteSink, Sink, TextSink

# CPython refuses code nested deeper than 20 blocks or 200 parentheses, and Liquid may nest that deep.
_NOT_COMPILED = (Unsupported, SyntaxError, RecursionError, MemoryError)


class Part(Protocol):
    """Appends one reader's copy of a part to a list, as pieces."""

    def __call__(self, o: list[Any], c: Mapping[str, Any], t: bytes, s: str) -> None:
        """`c` is the context; `t` and `s` the token as bytes and text. Raises LiquidError or RenderError."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is the same for all readers of a campaign: addresses, and constants such as brand and campaign."""

    addresses: Addresses
    constants: Mapping[str, Any]


def html_part(source: str, fixed: Fixed, text_values: EncodedValues) -> Part:
    """The HTML as pieces of quoted-printable, joined blindly; `text_values` are shared with the text part."""
    encoders = _Encoders(EscapedValues(_escape, text_values), EncodedValues())
    return _byte_part(source, fixed, encoders, html=True)


def plain_part(source: str, fixed: Fixed, text_values: EncodedValues) -> Part:
    """The text as pieces of quoted-printable."""
    return _byte_part(source, fixed, _Encoders(text_values, text_values), html=False)


@dataclass(frozen=True, slots=True)
class _Encoders:
    """For plain values, which HTML escapes, and for values that are text already."""

    values: EncodedValues
    finished: EncodedValues


def _byte_part(source: str, fixed: Fixed, encoders: _Encoders, *, html: bool) -> Part:
    names = {"C": encoders.values, "X": partial(encode_other, encoders.finished, html)}
    try:
        return _compiled(parse(source, html=html), fixed, names, html=html, as_bytes=True)
    except _NOT_COMPILED:
        return ChunkPart(parse(source, html=html), fixed.addresses, fixed.constants, encoders.finished)


def text_part(source: str, fixed: Fixed) -> Part:
    """The part as pieces of plain text, for a subject."""
    template = parse(source, html=False)
    try:
        return _compiled(template, fixed, {}, html=False, as_bytes=False)
    except _NOT_COMPILED:
        return TextPart(template, fixed)


def _escape(value: str) -> str:
    return str(escape(value))


class TextPart:
    """The fallback of `text_part`: python-liquid renders."""

    def __init__(self, template: BoundTemplate, fixed: Fixed) -> None:
        self._template = template
        self._fixed = fixed

    def __call__(self, o: list[Any], c: Mapping[str, Any], t: bytes, s: str) -> None:  # noqa: ARG002 t is for bytes
        """Appends one text."""
        addresses = self._fixed.addresses
        urls = {"unsubscribe_url": addresses.unsubscribe, "preferences_url": addresses.preferences}
        filled = {name: url.replace(HOLE, s) for name, url in urls.items()}
        context = SlotContext(
            self._template, globals={**c, **self._fixed.constants, **filled}, slots=ReaderSlots(addresses, s)
        )
        buffer = self._template._get_buffer()
        self._template.render_with_context(context, buffer)
        o.append(buffer.getvalue())


def _compiled(
    template: BoundTemplate, fixed: Fixed, encoders: Mapping[str, Any], *, html: bool, as_bytes: bool
) -> Part:
    scope = _scope(template, fixed, encoders)
    sink: Sink = ByteSink("x") if as_bytes else TextSink("o", escape=False)
    generator = Generator(html, scope, fixed.addresses, sink, DynamicLinks(fixed.addresses))
    generator.nodes(template.nodes)
    generator.flush()
    prologue = ["    cycles = {}"] if generator.has_cycles else []
    prologue += [f"    {name} = {_initial(root, scope, fixed)}" for root, name in scope.roots.items()]
    source = "\n".join(["def body(o, c, t, s):", *prologue, *generator.lines, "    return None", ""])
    # The code is written by Generator alone: a template gets into it through repr() only (see expressions).
    exec(compile(source, "<message part>", "exec"), scope.namespace)  # noqa: S102
    part: Part = scope.namespace["body"]
    return part


def _scope(template: BoundTemplate, fixed: Fixed, encoders: Mapping[str, Any]) -> Scope:
    constants = SlotContext(template, globals=fixed.constants, slots=fixed.addresses)
    assigned = {str(name) for node in walk(template.nodes, RenderContext(template)) for name in node.template_scope()}
    return Scope(
        template.env, constants, frozenset(fixed.constants), frozenset(assigned), {**helpers(constants), **encoders}
    )


def _initial(root: str, scope: Scope, fixed: Fixed) -> str:
    urls = {"unsubscribe_url": fixed.addresses.unsubscribe, "preferences_url": fixed.addresses.preferences}
    if root in urls:
        return f"{urls[root]!r}.replace({HOLE!r}, s)"
    if root in fixed.constants:
        return scope.keep(fixed.constants[root])
    return f"c.get({root!r}, U)"
