"""For loops as Python for loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquid.builtin.expressions.loop import LoopExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode

from delivery.rendering.expressions import Loop, Scope, Unsupported
from delivery.rendering.runtime import MAX_ITERATIONS, WATCHED_LOOP

if TYPE_CHECKING:
    from delivery.rendering.codegen import Generator


def write_loop(generator: Generator, node: ForNode) -> None:
    """`{% for %}`."""
    writer = generator.writer
    writer.flush()
    loop = _loop(generator.scope, node.expression)
    items = _items(generator, node.expression)
    writer.line(f"{loop.length} = len({items})")
    with writer.indented(f"if {loop.length}:"):
        _write_rounds(generator, node, loop, items)
    if node.default is not None:
        with writer.indented("else:"):
            generator.block(node.default)


def write_jump(generator: Generator, node: BreakNode | ContinueNode) -> None:
    """`{% break %}` and `{% continue %}`."""
    if not generator.scope.loops:
        raise Unsupported("break outside of a loop")
    generator.writer.flush()
    generator.writer.line("break" if isinstance(node, BreakNode) else "continue")


def _loop(scope: Scope, expression: LoopExpression) -> Loop:
    if expression.identifier == "forloop":
        raise Unsupported("a loop variable called forloop")
    over_data = isinstance(expression.iterable, RangeLiteral) or scope.direct(expression.iterable) is not None
    label = f"{expression.identifier}-{expression.iterable}"
    return Loop(expression.identifier, scope.name("v"), scope.name("i"), scope.name("n"), label, over_data)


def _items(generator: Generator, expression: LoopExpression) -> str:
    scope, writer = generator.scope, generator.writer
    value, items = scope.name("x"), scope.name("q")
    writer.line(f"{value} = {scope.code(expression.iterable)}")
    writer.line(f"{items} = {value} if {value}.__class__ is list else ITEMS({value})")
    limit = scope.code(expression.limit) if expression.limit else "None"
    offset = scope.code(expression.offset) if expression.offset else "None"
    if scope.continues_loops:
        writer.line(f"{items} = {_noted(scope, expression, f'{items}, {limit}, {offset}')}")
    elif expression.limit or expression.offset or expression.reversed:
        writer.line(f"{items} = SLICE({items}, {limit}, {offset}, backwards={bool(expression.reversed)})")
    return items


def _noted(scope: Scope, expression: LoopExpression, arguments: str) -> str:
    if not scope.is_whole:
        raise Unsupported("a loop that goes on where another stopped, beside nodes that python-liquid renders")
    key = ("stop", f"{expression.identifier}-{expression.iterable}")
    return f"NOTED(y, {key!r}, {arguments}){'[::-1]' if expression.reversed else ''}"


def _write_rounds(generator: Generator, node: ForNode, loop: Loop, items: str) -> None:
    scope, writer = generator.scope, generator.writer
    rounds = " * ".join([loop.length, *(outer.length for outer in scope.loops), "w"])
    writer.line(f"if {rounds} > {MAX_ITERATIONS}: raise TOO_MANY()")
    if writer.sink.target:
        writer.line(f"if {loop.length} > {WATCHED_LOOP}: {items} = WATCH({items}, {writer.sink.target})")
    header = len(writer.lines)
    scope.loops.append(loop)
    with writer.indented("for:"):
        generator.block(node.block)
    scope.loops.pop()
    # Only now is it known whether the body asks for the index.
    over = f"{loop.index}, {loop.value} in enumerate({items})" if loop.uses_index else f"{loop.value} in {items}"
    writer.lines[header] = "    " * writer.depth + f"for {over}:"
