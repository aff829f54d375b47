"""Templates with something that cannot be compiled: python-liquid renders that, compiled functions all around it.

Runs of neighbouring nodes that compile become one node each. So an odd tag costs what python-liquid takes for it, not a
rendering of the whole template by python-liquid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from io import StringIO
from itertools import groupby
from operator import mul
from typing import Any, TextIO

from liquid import BlockNode, BoundTemplate, Node, RenderContext
from liquid.token import TOKEN_CONTENT, Token

from campaigns.content.slots import ClickToNode, SlotContext
from delivery.rendering.addresses import HOLE, ReaderSlots
from delivery.rendering.encoded_values import EncodedValues
from delivery.rendering.expressions import Unsupported
from delivery.rendering.functions import Compiler, Fixed, Function


class _Pieces(StringIO):
    """A buffer that keeps encoded pieces instead of text."""

    def __init__(self, pieces: list[bytes], values: EncodedValues) -> None:
        super().__init__()
        self.pieces = pieces
        self._values = values

    def write(self, text: str) -> int:
        """Encodes a text that python-liquid prints."""
        if text:
            self.pieces.append(self._values[str(text)])
        return 0


class _Context(SlotContext):
    """A context that knows its reader's token."""

    __slots__ = ("token", "token_bytes")

    def __init__(self, template: BoundTemplate, names: Mapping[str, Any], fixed: Fixed, token: str) -> None:
        pages = {name: address.replace(HOLE, token) for name, address in fixed.own_pages().items()}
        every = {**names, **fixed.constants, **pages}
        super().__init__(template, globals=every, slots=ReaderSlots(fixed.addresses, token))
        self.token = token
        self.token_bytes = token.encode()


class _RunNode(Node):
    """Neighbouring nodes as functions: over bytes, and over text for the inside of captures and the like."""

    __slots__ = ("_as_bytes", "_as_text")

    def __init__(self, as_bytes: Function, as_text: Function, *, blank: bool) -> None:
        super().__init__(Token(TOKEN_CONTENT, "", -1, ""))
        self.blank = blank
        self._as_bytes = as_bytes
        self._as_text = as_text

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Runs the function that suits the buffer."""
        if not isinstance(context, _Context):
            raise TypeError("runs are rendered by a MixedPart")
        rounds = reduce(mul, (loop.length for loop in context.loops), 1)
        if isinstance(buffer, _Pieces):
            function, pieces = self._as_bytes, buffer.pieces
        else:
            function, pieces = self._as_text, []
        names: Any = context.scope
        cycles = context.tag_namespace["cycles"]
        function(pieces, names, context.token_bytes, context.token, (_dict(context.locals), rounds, cycles))
        return 0 if isinstance(buffer, _Pieces) else buffer.write("".join(map(str, pieces)))


def _dict(mapping: Any) -> dict[str, object]:
    """python-liquid declares its locals as a mapping; they are a dict."""
    found: dict[str, object] = mapping
    return found


class MixedPart:
    """A part with nodes that cannot be compiled."""

    def __init__(
        self, template: BoundTemplate, fixed: Fixed, compiler: Compiler, *, values: EncodedValues | None
    ) -> None:
        self._template = template
        self._fixed = fixed
        self._values = values
        self._compiler = compiler
        template.nodes = self._mixed(template.nodes)

    def __call__(self, o: list[Any], c: Mapping[str, Any], t: bytes, s: str) -> None:  # noqa: ARG002 s has it as well
        """Appends one reader's pieces: bytes, or text where the part has no encoder."""
        context = _Context(self._template, c, self._fixed, s)
        buffer = self._template._get_buffer() if self._values is None else _Pieces(o, self._values)
        self._template.render_with_context(context, buffer)
        if self._values is None:
            o.append(buffer.getvalue())

    def _mixed(self, nodes: Iterable[Node]) -> list[Node]:
        mixed: list[Node] = []
        for compiles, group in groupby(nodes, self._compiles):
            if compiles:
                mixed.append(self._run(list(group)))
            else:
                mixed += (self._mixed_inside(node) for node in group)
        return mixed

    def _compiles(self, node: Node) -> bool:
        try:
            self._compiler.function([node], as_bytes=self._values is not None)
        except Unsupported:
            return False
        return True

    def _run(self, nodes: list[Node]) -> Node:
        as_text = self._compiler.function(nodes, as_bytes=False)
        as_bytes = self._compiler.function(nodes, as_bytes=True) if self._values is not None else as_text
        return _RunNode(as_bytes, as_text, blank=all(node.blank for node in nodes))

    def _mixed_inside(self, node: Node) -> Node:
        # The block of an address is plain text also in HTML, where runs would escape: it stays as it is.
        if not isinstance(node, ClickToNode):
            for child in node.children(RenderContext(self._template)):
                if isinstance(child, BlockNode):
                    child.nodes = self._mixed(child.nodes)
                else:
                    self._mixed_inside(child)
        return node
