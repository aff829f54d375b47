"""Liquid's syntax tree as one Python function that appends pieces to a list.

Static text becomes byte constants that are transfer-encoded already, loops and conditions become Python's, and only
dynamic values are escaped and encoded per reader. What cannot be said in code raises Unsupported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, StringLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from campaigns.content.slots import ClickNode, ClickToNode, HoneypotNode, PixelNode
from delivery.rendering.addresses import HOLE, Addresses
from delivery.rendering.conditions import condition_code
from delivery.rendering.dynamic_links import DynamicLinks
from delivery.rendering.encoded_values import FilteredValues
from delivery.rendering.expressions import Scope, Unsupported
from delivery.rendering.link_code import write_click, write_click_to
from delivery.rendering.loop_code import write_jump, write_loop
from delivery.rendering.sinks import ByteSink, NoSink, Sink, TextSink
from delivery.rendering.writer import Writer


@dataclass(slots=True)
class Generator:
    """Writes the body of one function.

    Its names: `o` the list of pieces, `c` the variables, `t` and `s` the reader's token as bytes and as text; `w` how
    often loops around it go round, `y` the state of cycles.
    """

    html: bool
    scope: Scope
    addresses: Addresses
    links: DynamicLinks
    encode: Callable[[object], bytes]
    writer: Writer

    @property
    def sink(self) -> Sink:
        """Where output goes at present."""
        return self.writer.sink

    def nodes(self, nodes: Iterable[Node]) -> None:
        """Writes nodes in order."""
        for node in nodes:
            write = _WRITERS.get(type(node))
            if write is None:
                raise Unsupported(type(node).__name__)
            write(self, node)

    def block(self, block: BlockNode) -> None:
        """Writes a block; one of nothing but white space prints nothing."""
        if block.blank:
            with self.writer.into(NoSink()):
                self.nodes(block.nodes)
        else:
            self.nodes(block.nodes)

    def content(self, node: ContentNode) -> None:
        """Static text."""
        self.sink.static(node.text.replace(HOLE, ""))

    def output(self, node: OutputNode) -> None:
        """`{{ … }}`: folded where every reader has the same value."""
        expression = node.expression
        address = self._own_page(expression)
        if address:
            self.address(address)
        elif self.scope.is_constant(expression):
            self.text(to_liquid_string(self.scope.constant_value(expression), self.html))
        else:
            self._value(expression)

    def _value(self, expression: Expression) -> None:
        if not isinstance(self.sink, ByteSink) or not isinstance(expression, FilteredExpression):
            self.sink.value(self.scope.code(expression))
        elif filters := self.scope.constant_filters(expression):
            table = self.scope.keep(FilteredValues(filters, self.encode))
            self.sink.filtered(self.scope.code(expression.left), table)
        elif default := self.scope.lone_default(expression, "x"):
            self.sink.defaulted(self.scope.code(expression.left), default)
        else:
            self.sink.value(self.scope.code(expression), self.scope.direct(expression))

    def _own_page(self, expression: Expression) -> str:
        """The address that a bare `{{ unsubscribe_url }}` or `{{ preferences_url }}` prints."""
        name = str(expression)
        if name in self.scope.assigned or any(name == loop.item for loop in self.scope.loops):
            return ""
        pages = {"unsubscribe_url": self.addresses.unsubscribe, "preferences_url": self.addresses.preferences}
        return pages.get(name, "")

    def address(self, address: str) -> None:
        """A constant address, its holes kept."""
        self.sink.static(str(to_liquid_string(address, self.html)))

    def text(self, text: str) -> None:
        """A constant value."""
        self.sink.static(text.replace(HOLE, ""))

    def if_(self, node: IfNode) -> None:
        """`{% if %}`."""
        self.branches(node, negate=False)

    def unless(self, node: UnlessNode) -> None:
        """`{% unless %}`."""
        self.branches(node, negate=True)

    def branches(self, node: IfNode | UnlessNode, *, negate: bool) -> None:
        """A chain of conditions; `negate` turns the first one round."""
        first = condition_code(self.scope, node.condition)
        if negate:
            first = {"True": "False", "False": "True"}.get(first, f"not {first}")
        tests = [(first, node.consequence)]
        tests += [(condition_code(self.scope, other.expression), other.block) for other in node.alternatives]
        self._chain(tests, node.default)

    def _chain(self, tests: list[tuple[str, BlockNode]], default: BlockNode | None) -> None:
        if not tests:
            if default is not None:
                self.block(default)
            return
        (test, block), *others = tests
        if test == "True":
            self.block(block)
        elif test == "False":
            self._chain(others, default)
        else:
            with self.writer.indented(f"if {test}:"):
                self.block(block)
            if others or default is not None:
                # Nested instead of elif: the names in a condition are assigned where it is tested.
                with self.writer.indented("else:"):
                    self._chain(others, default)

    def case(self, node: CaseNode) -> None:
        """`{% case %}`: each matching `when` is written, `else` where none before it matched."""
        self.writer.flush()
        value, matched = self.scope.name("x"), self.scope.name("m")
        self.writer.line(f"{value} = {self.scope.code(node.expression)}")
        self.writer.line(f"{matched} = False")
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                for test in self._tests(value, block):
                    with self.writer.indented(f"if {test}:"):
                        self.writer.line(f"{matched} = True")
                        self.block(block.block)
            else:
                with self.writer.indented(f"if not {matched}:"):
                    self.block(block)

    def _tests(self, value: str, block: MultiExpressionBlockNode) -> list[str]:
        """One test for a `when`, or several: python-liquid writes a block once for each of its values that matches."""
        expressions = block.expression.expressions
        tests = [f"EQ({value}, {self.scope.code(expression)})" for expression in expressions]
        literals = {str(expression) for expression in expressions if isinstance(expression, StringLiteral)}
        return [" or ".join(tests)] if len(literals) == len(expressions) else tests

    def assign(self, node: AssignNode) -> None:
        """`{% assign %}`."""
        self.writer.flush()
        self._assign(node.name, self.scope.code(node.expression))

    def _assign(self, name: str, code: str) -> None:
        self.writer.line(f"{self.scope.variable(name)} = LOCAL(y, {str(name)!r}, {code})")

    def capture(self, node: CaptureNode) -> None:
        """`{% capture %}`."""
        parts = self.captured(node.block)
        text = f"CAPTURED({parts})"
        self._assign(node.name, f"Markup({text})" if self.html else text)

    def captured(self, block: BlockNode) -> str:
        """Writes a block into a list of texts; gives the list's name."""
        self.writer.flush()
        parts = self.scope.name("p")
        self.writer.line(f"{parts} = []")
        with self.writer.into(TextSink(parts, escape=self.html)):
            self.block(block)
        return parts

    def cycle(self, node: CycleNode) -> None:
        """`{% cycle %}`."""
        group = self.scope.code(node.group) if node.group else "None"
        values = ", ".join(self.scope.code(value) for value in node.args)
        # By itself: pieces beside it may be made twice, and it must turn once.
        self.writer.flush()
        self.sink.value(f"CYCLE(y, {group}, [{values}])")
        self.writer.flush()

    def if_changed(self, node: IfChangedNode) -> None:
        """`{% ifchanged %}`: its block is made as text, to be compared with the last one."""
        if not self.scope.is_whole:
            raise Unsupported("ifchanged beside nodes that python-liquid renders")
        text = self.scope.name("x")
        parts = self.captured(node.block)
        self.writer.line(f"{text} = CAPTURED({parts})")
        with self.writer.indented(f"if y.get(None, '') != {text}:"):
            self.writer.line(f"y[None] = {text}")
            self.sink.value(f"Markup({text})" if self.html else text)

    def nothing(self, _node: Node) -> None:
        """A comment."""


_WRITERS: Mapping[type[Node], Callable[[Generator, Any], None]] = {
    ContentNode: Generator.content,
    OutputNode: Generator.output,
    EchoNode: Generator.output,
    IfNode: Generator.if_,
    UnlessNode: Generator.unless,
    CaseNode: Generator.case,
    ForNode: write_loop,
    BreakNode: write_jump,
    ContinueNode: write_jump,
    AssignNode: Generator.assign,
    CaptureNode: Generator.capture,
    CycleNode: Generator.cycle,
    IfChangedNode: Generator.if_changed,
    LiquidNode: lambda generator, node: generator.block(node.block),
    CommentNode: Generator.nothing,
    InlineCommentNode: Generator.nothing,
    DocNode: Generator.nothing,
    ClickNode: write_click,
    ClickToNode: write_click_to,
    PixelNode: lambda generator, _node: generator.sink.static(generator.addresses.pixel()),
    HoneypotNode: lambda generator, _node: generator.sink.static(generator.addresses.honeypot()),
}
