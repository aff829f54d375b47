"""Slots for addresses in generated code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquid import BlockNode
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode

from campaigns.content.slots import ClickNode, ClickToNode
from delivery.rendering.addresses import HOLE
from delivery.rendering.sinks import ByteSink, TextSink

if TYPE_CHECKING:
    from delivery.rendering.codegen import Generator


def write_click(generator: Generator, node: ClickNode) -> None:
    """A static link."""
    generator.address(generator.addresses.click(node.index))


def write_click_to(generator: Generator, node: ClickToNode) -> None:
    """A link made of merge fields; its block is plain text also in HTML."""
    scope, html = generator.scope, generator.html
    autoescape = scope.constants.autoescape
    generator.html = scope.constants.autoescape = False
    address, direct = _address(generator, node.block)
    generator.html, scope.constants.autoescape = html, autoescape
    if isinstance(generator.sink, ByteSink):
        table = scope.keep(generator.links.as_bytes(node.index, html=html))
        generator.sink.piece(f"t.join({table}[{address}])", f"t.join({table}[{direct}])")
    else:
        table = scope.keep(generator.links.as_text(node.index, html=html))
        generator.sink.piece(f"{table}[{address}].replace({HOLE!r}, s)")


def _address(generator: Generator, block: BlockNode) -> tuple[str, str]:
    """Code for what a link's block says, and the same for data that is as expected."""
    if not all(type(node) in {ContentNode, OutputNode} for node in block.nodes):
        code = f"''.join({generator.captured(block)})"
        return code, code
    outer, inner = generator.sink, TextSink("", escape=False)
    generator.writer.sink = inner
    generator.nodes(block.nodes)
    generator.writer.sink = outer
    code = f"''.join(({', '.join([*inner.take(), repr('')])}))"
    only = block.nodes[0] if len(block.nodes) == 1 else None
    direct = generator.scope.direct(only.expression) if isinstance(only, OutputNode) else None
    return code, direct or code
