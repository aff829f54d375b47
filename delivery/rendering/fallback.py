"""Renders what cannot be compiled: python-liquid walks the tree, but its static text is encoded already.

Runs of static text and tracked addresses become one node of pieces; values go through a cache of encoded forms. The
e-mail package is not involved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any, TextIO, cast

from liquid import BlockNode, BoundTemplate, Node, RenderContext
from liquid.builtin.content import ContentNode
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_CONTENT, Token

from campaigns.content.language import walk
from campaigns.content.slots import ClickNode, HoneypotNode, PixelNode, SlotContext
from delivery.rendering.addresses import HOLE, Addresses, ReaderSlots
from delivery.rendering.quoted_printable import EncodedValues, encode_around
from delivery.tracking.tokens import URL_LENGTH

_STATIC = (ContentNode, ClickNode, PixelNode, HoneypotNode)


class _Pieces(StringIO):
    """A buffer that keeps encoded pieces instead of text."""

    def __init__(self, pieces: list[bytes], values: EncodedValues, token: bytes) -> None:
        super().__init__()
        self.pieces = pieces
        self.token = token
        self._values = values

    def write(self, text: str) -> int:
        """Encodes a value."""
        if text:
            self.pieces.append(self._values[text])
        return 0


class _RunNode(Node):
    """Neighbouring static nodes, laid out as one."""

    __slots__ = ("parts", "text")

    def __init__(self, text: str, *, blank: bool) -> None:
        super().__init__(Token(TOKEN_CONTENT, "", -1, ""))
        self.text = text
        self.blank = blank
        self.parts = encode_around(HOLE, URL_LENGTH, text)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Appends the pieces; inside captures it is text as before."""
        if isinstance(buffer, _Pieces):
            buffer.pieces.append(buffer.token.join(self.parts))
            return 0
        token = cast("_Context", context).token
        return buffer.write(self.text.replace(HOLE, token))


class _Context(SlotContext):
    """A context that finds names in plain dicts without a chain of generators."""

    __slots__ = ("token",)

    def __init__(self, *args: Any, token: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.token = token


class ChunkPart:
    """A part rendered by python-liquid into encoded pieces."""

    def __init__(
        self, template: BoundTemplate, addresses: Addresses, constants: Mapping[str, Any], values: EncodedValues
    ) -> None:
        self._addresses = addresses
        self._constants = constants
        self._values = values
        self._template = template
        template.nodes = self._merged(template.nodes)
        for node in walk(template.nodes, RenderContext(template)):
            if isinstance(node, BlockNode):
                node.nodes = self._merged(node.nodes)

    def __call__(self, o: list[Any], c: Mapping[str, Any], t: bytes, s: str) -> None:
        """Appends one reader's pieces."""
        addresses = self._addresses
        names = {
            **c,
            **self._constants,
            "unsubscribe_url": addresses.unsubscribe.replace(HOLE, s),
            "preferences_url": addresses.preferences.replace(HOLE, s),
        }
        context = _Context(self._template, globals=names, slots=ReaderSlots(addresses, s), token=s)
        self._template.render_with_context(context, _Pieces(o, self._values, t))

    def _merged(self, nodes: Iterable[Node]) -> list[Node]:
        merged: list[Node] = []
        run: list[Node] = []
        for node in [*nodes, None]:
            if isinstance(node, _STATIC):
                run.append(node)
                continue
            if run:
                text = "".join(self._text(static) for static in run)
                merged.append(_RunNode(text, blank=all(static.blank for static in run)))
                run = []
            if node is not None:
                merged.append(node)
        return merged

    def _text(self, node: Node) -> str:
        if isinstance(node, ContentNode):
            return node.text.replace(HOLE, "")
        if isinstance(node, ClickNode):
            return str(to_liquid_string(self._addresses.click(node.index), self._template.env.autoescape))
        return self._addresses.honeypot() if isinstance(node, HoneypotNode) else self._addresses.pixel()
