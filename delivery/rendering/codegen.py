"""Liquid's syntax tree as one Python function that appends pieces to a list.

Static text becomes byte constants that are transfer-encoded already, loops and conditions become Python's, and only
dynamic values are escaped and encoded per reader. What cannot be said in code raises Unsupported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from liquid import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, StringLiteral
from liquid.builtin.expressions.loop import LoopExpression
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
from delivery.rendering.dynamic_links import DynamicLinks
from delivery.rendering.encoded_values import FilteredValues
from delivery.rendering.expressions import Loop, Scope, Unsupported
from delivery.rendering.runtime import MAX_ITERATIONS, WATCHED_LOOP
from delivery.rendering.sinks import ByteSink, NoSink, Sink, TextSink


@dataclass(slots=True)
class Generator:
    """Writes the body of one function.

    Its names: `o` the list of pieces, `c` the variables, `t` and `s` the reader's token as bytes and as text; `w` how
    often loops around it go round, `y` the state of cycles.
    """

    html: bool
    scope: Scope
    addresses: Addresses
    sink: Sink
    links: DynamicLinks
    encode: Callable[[object], bytes]
    lines: list[str] = field(default_factory=list)
    depth: int = 1

    # -- writing ----------------------------------------------------------------------------------------------------

    def line(self, code: str) -> None:
        """Adds one line of code at the present depth."""
        self.lines.append("    " * self.depth + code)

    def flush(self) -> None:
        """Writes what the sink has collected."""
        for statement in self.sink.statements():
            self.line(statement)

    @contextmanager
    def indented(self, header: str) -> Iterator[None]:
        """A Python block."""
        self.flush()
        self.line(header)
        self.depth += 1
        written = len(self.lines)
        yield
        self.flush()
        if len(self.lines) == written:
            self.line("pass")
        self.depth -= 1

    @contextmanager
    def into(self, sink: Sink) -> Iterator[None]:
        """Output goes to another sink."""
        self.flush()
        outer, self.sink = self.sink, sink
        yield
        self.flush()
        self.sink = outer

    # -- nodes ------------------------------------------------------------------------------------------------------

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
            with self.into(NoSink()):
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
        filters = self.scope.constant_filters(expression)
        default = self.scope.lone_default(expression)
        if not isinstance(self.sink, ByteSink) or not isinstance(expression, FilteredExpression):
            self.sink.value(self.scope.code(expression))
        elif filters:
            table = self.scope.keep(FilteredValues(filters, self.encode))
            self.sink.filtered(self.scope.code(expression.left), table)
        elif default:
            encoded = f"Y({default.format('x')})"
            self.sink.piece(
                f"(C[x] if (x := {self.scope.code(expression.left)}).__class__ is str and x else {encoded})"
            )
        else:
            self.sink.value(self.scope.code(expression), self.scope.direct(expression))

    def _own_page(self, expression: Expression) -> str:
        """The address that a bare `{{ unsubscribe_url }}` or `{{ preferences_url }}` prints."""
        name = str(expression)
        if name in self.scope.assigned or any(name == loop.item for loop in self.scope.loops):
            return ""
        return {"unsubscribe_url": self.addresses.unsubscribe, "preferences_url": self.addresses.preferences}.get(
            name, ""
        )

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
        first = self.test(node.condition)
        if negate:
            first = {"True": "False", "False": "True"}.get(first, f"not {first}")
        tests = [(first, node.consequence)]
        tests += [(self.test(other.expression), other.block) for other in node.alternatives]
        self._chain(tests, node.default)

    def test(self, condition: Expression) -> str:
        """Code for a condition; True or False where every reader has the same."""
        if self.scope.is_constant(condition):
            return str(bool(self.scope.constant_value(condition)))
        return self.scope.condition(condition)

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
            with self.indented(f"if {test}:"):
                self.block(block)
            if others or default is not None:
                # Nested instead of elif: the names in a condition are assigned where it is tested.
                with self.indented("else:"):
                    self._chain(others, default)

    def case(self, node: CaseNode) -> None:
        """`{% case %}`: each matching `when` is written, `else` where none before it matched."""
        self.flush()
        value, matched = self.scope.name("x"), self.scope.name("m")
        self.line(f"{value} = {self.scope.code(node.expression)}")
        self.line(f"{matched} = False")
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                for test in self._tests(value, block):
                    with self.indented(f"if {test}:"):
                        self.line(f"{matched} = True")
                        self.block(block.block)
            else:
                with self.indented(f"if not {matched}:"):
                    self.block(block)

    def _tests(self, value: str, block: MultiExpressionBlockNode) -> list[str]:
        """One test for a `when`, or several: python-liquid writes a block once for each of its values that matches."""
        expressions = block.expression.expressions
        tests = [f"EQ({value}, {self.scope.code(expression)})" for expression in expressions]
        literals = {str(expression) for expression in expressions if isinstance(expression, StringLiteral)}
        return [" or ".join(tests)] if len(literals) == len(expressions) else tests

    def for_(self, node: ForNode) -> None:
        """`{% for %}`."""
        self.flush()
        name = self.scope.name
        expression = node.expression
        loop = Loop(
            expression.identifier, name("v"), name("i"), name("n"), f"{expression.identifier}-{expression.iterable}"
        )
        if loop.item == "forloop":
            raise Unsupported("a loop variable called forloop")
        items = self._loop_items(node)
        self.line(f"{loop.length} = len({items})")
        with self.indented(f"if {loop.length}:"):
            self._loop(node, loop, items)
        if node.default is not None:
            with self.indented("else:"):
                self.block(node.default)

    def _loop_items(self, node: ForNode) -> str:
        expression = node.expression
        value, items = self.scope.name("x"), self.scope.name("q")
        self.line(f"{value} = {self.scope.code(expression.iterable)}")
        self.line(f"{items} = {value} if {value}.__class__ is list else ITEMS({value})")
        limit = self.scope.code(expression.limit) if expression.limit else "None"
        offset = self.scope.code(expression.offset) if expression.offset else "None"
        if self.scope.continues_loops:
            self._note_stop(expression, f"{items}, {limit}, {offset}")
        elif expression.limit or expression.offset or expression.reversed:
            self.line(f"{items} = SLICE({items}, {limit}, {offset}, backwards={bool(expression.reversed)})")
        return items

    def _note_stop(self, expression: LoopExpression, arguments: str) -> None:
        if not self.scope.is_whole:
            raise Unsupported("a loop that goes on where another stopped, beside nodes that python-liquid renders")
        key = f"{expression.identifier}-{expression.iterable}"
        items = arguments.partition(",")[0]
        backwards = "[::-1]" if expression.reversed else ""
        self.line(f"{items} = NOTED(y, {('stop', key)!r}, {arguments}){backwards}")

    def _loop(self, node: ForNode, loop: Loop, items: str) -> None:
        rounds = " * ".join([loop.length, *(outer.length for outer in self.scope.loops), "w"])
        self.line(f"if {rounds} > {MAX_ITERATIONS}: raise TOO_MANY()")
        if self.sink.target:
            self.line(f"if {loop.length} > {WATCHED_LOOP}: {items} = WATCH({items}, {self.sink.target})")
        header = len(self.lines)
        self.scope.loops.append(loop)
        with self.indented("for:"):
            self.block(node.block)
        self.scope.loops.pop()
        over = f"{loop.index}, {loop.value} in enumerate({items})" if loop.uses_index else f"{loop.value} in {items}"
        self.lines[header] = "    " * self.depth + f"for {over}:"

    def jump(self, node: BreakNode | ContinueNode) -> None:
        """`{% break %}` and `{% continue %}`."""
        if not self.scope.loops:
            raise Unsupported("break outside of a loop")
        self.flush()
        self.line("break" if isinstance(node, BreakNode) else "continue")

    def assign(self, node: AssignNode) -> None:
        """`{% assign %}`."""
        self.flush()
        self._assign(node.name, self.scope.code(node.expression))

    def _assign(self, name: str, code: str) -> None:
        self.line(f"{self.scope.variable(name)} = LOCAL(y, {str(name)!r}, {code})")

    def capture(self, node: CaptureNode) -> None:
        """`{% capture %}`."""
        parts = self._captured(node.block)
        text = f"CAPTURED({parts})"
        self._assign(node.name, f"Markup({text})" if self.html else text)

    def _captured(self, block: BlockNode) -> str:
        self.flush()
        parts = self.scope.name("p")
        self.line(f"{parts} = []")
        with self.into(TextSink(parts, escape=self.html)):
            self.block(block)
        return parts

    def cycle(self, node: CycleNode) -> None:
        """`{% cycle %}`."""
        group = self.scope.code(node.group) if node.group else "None"
        values = ", ".join(self.scope.code(value) for value in node.args)
        # By itself: pieces beside it may be made twice, and it must turn once.
        self.flush()
        self.sink.value(f"CYCLE(y, {group}, [{values}])")
        self.flush()

    def if_changed(self, node: IfChangedNode) -> None:
        """`{% ifchanged %}`: its block is made as text, to be compared with the last one."""
        if not self.scope.is_whole:
            raise Unsupported("ifchanged beside nodes that python-liquid renders")
        text = self.scope.name("x")
        parts = self._captured(node.block)
        self.line(f"{text} = CAPTURED({parts})")
        with self.indented(f"if y.get(None, '') != {text}:"):
            self.line(f"y[None] = {text}")
            self.sink.value(f"Markup({text})" if self.html else text)

    def click(self, node: ClickNode) -> None:
        """A static link."""
        self.address(self.addresses.click(node.index))

    def click_to(self, node: ClickToNode) -> None:
        """A link made of merge fields; its block is plain text also in HTML."""
        is_html, autoescape = self.html, self.scope.constants.autoescape
        self.html = self.scope.constants.autoescape = False
        address, direct = self._address_code(node.block)
        self.html, self.scope.constants.autoescape = is_html, autoescape
        if isinstance(self.sink, ByteSink):
            table = self.scope.keep(self.links.as_bytes(node.index, html=is_html))
            self.sink.piece(f"t.join({table}[{address}])", f"t.join({table}[{direct}])")
        else:
            table = self.scope.keep(self.links.as_text(node.index, html=is_html))
            self.sink.piece(f"{table}[{address}].replace({HOLE!r}, s)")

    def _address_code(self, block: BlockNode) -> tuple[str, str]:
        """Code for what a link's block says, and the same for data that is as expected."""
        if not all(type(node) in {ContentNode, OutputNode} for node in block.nodes):
            code = f"''.join({self._captured(block)})"
            return code, code
        outer, self.sink = self.sink, TextSink("", escape=False)
        self.nodes(block.nodes)
        pieces, self.sink = self.sink.take(), outer
        code = f"''.join(({', '.join([*pieces, repr('')])}))"
        only = block.nodes[0] if len(block.nodes) == 1 else None
        direct = self.scope.direct(only.expression) if isinstance(only, OutputNode) else None
        return code, direct or code

    def address(self, address: str) -> None:
        """A constant address, its holes kept."""
        self.sink.static(str(to_liquid_string(address, self.html)))

    def pixel(self, _node: PixelNode) -> None:
        """The open pixel."""
        self.sink.static(self.addresses.pixel())

    def honeypot(self, _node: HoneypotNode) -> None:
        """The honeypot."""
        self.sink.static(self.addresses.honeypot())

    def nothing(self, _node: Node) -> None:
        """A comment."""


_WRITERS: Mapping[type[Node], Callable[[Generator, Any], None]] = {
    ContentNode: Generator.content,
    OutputNode: Generator.output,
    EchoNode: Generator.output,
    IfNode: Generator.if_,
    UnlessNode: Generator.unless,
    CaseNode: Generator.case,
    ForNode: Generator.for_,
    BreakNode: Generator.jump,
    ContinueNode: Generator.jump,
    AssignNode: Generator.assign,
    CaptureNode: Generator.capture,
    CycleNode: Generator.cycle,
    IfChangedNode: Generator.if_changed,
    LiquidNode: lambda generator, node: generator.block(node.block),
    CommentNode: Generator.nothing,
    InlineCommentNode: Generator.nothing,
    DocNode: Generator.nothing,
    ClickNode: Generator.click,
    ClickToNode: Generator.click_to,
    PixelNode: Generator.pixel,
    HoneypotNode: Generator.honeypot,
}
