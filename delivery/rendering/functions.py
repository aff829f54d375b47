"""Compiles nodes of a template to a Python function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from liquid import BoundTemplate, Node, RenderContext
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.tablerow_tag import TablerowNode

from campaigns.content.language import walk
from campaigns.content.slots import SlotContext
from delivery.rendering.addresses import HOLE, Addresses
from delivery.rendering.codegen import Generator
from delivery.rendering.dynamic_links import DynamicLinks
from delivery.rendering.encoded_values import EncodedValues
from delivery.rendering.expressions import Scope, Unsupported
from delivery.rendering.runtime import helpers
from delivery.rendering.sinks import ByteSink, Sink, TextSink
from delivery.rendering.writer import Writer

_LOOP_NAMES = frozenset({"forloop", "tablerowloop"})


class Names(Protocol):
    """Where a function finds the variables it does not make itself."""

    def get(self, key: str, default: object, /) -> Any:
        """The variable's value or the default."""


Around = tuple[dict[str, object], int, dict[object, Any]]
"""What surrounds nodes that are only a part of a template: a dict that takes the variables they assign, how often the
loops around them go round, and the state of `{% cycle %}`."""


class Function(Protocol):
    """Appends the output of its nodes to a list, as pieces of bytes or text."""

    def __call__(self, o: list[Any], c: Names, t: bytes, s: str, a: Around | None = None) -> None:
        """`c` has the variables, `t` and `s` are the token. Raises LiquidError or RenderError."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is the same for all readers of a campaign: addresses, and constants such as brand and campaign."""

    addresses: Addresses
    constants: Mapping[str, Any]

    def own_pages(self) -> dict[str, str]:
        """The variables that are addresses, with holes for the token."""
        return {"unsubscribe_url": self.addresses.unsubscribe, "preferences_url": self.addresses.preferences}


@dataclass(frozen=True, slots=True)
class Encoders:
    """Encode a part's values: `values` plain ones, which HTML escapes, `finished` what is text already."""

    values: EncodedValues
    finished: EncodedValues
    html: bool

    def names(self) -> dict[str, Any]:
        """What generated code calls them: C for a table, X for what is no plain str, Y for anything."""
        return {"C": self.values, "X": self.values.other, "Y": self.values.any}


class Compiler:
    """Makes functions of one template's nodes; `whole` when they are all of its nodes."""

    def __init__(self, template: BoundTemplate, fixed: Fixed, encoders: Encoders, *, whole: bool = True) -> None:
        self._template = template
        self._fixed = fixed
        self._encoders = encoders
        self._html = encoders.html
        self._whole = whole
        self._variables = _variables(template, with_loops=not whole)
        self._continues_loops = _continues_loops(template)

    def function(self, nodes: Iterable[Node], *, as_bytes: bool) -> Function:
        """A function for these nodes. Raises Unsupported."""
        nodes = list(nodes)
        scope = self._scope()
        sink: Sink = ByteSink() if as_bytes else TextSink("o", escape=self._html)
        addresses = self._fixed.addresses
        writer = Writer(sink)
        encode = self._encoders.values.any
        Generator(self._html, scope, addresses, DynamicLinks(addresses), encode, writer).nodes(nodes)
        writer.flush()
        lines = [*self._prologue(scope), *writer.lines, *self._epilogue(scope, nodes), "    return None", ""]
        source = "\n".join(["def body(o, c, t, s, a=None):", *lines])
        try:
            # The code is written by Generator alone: a template gets into it through repr() only (see expressions).
            exec(compile(source, "<message part>", "exec"), scope.namespace)  # noqa: S102
        except (SyntaxError, RecursionError, MemoryError) as error:
            # CPython refuses code nested deeper than 20 blocks or 200 parentheses; Liquid may nest that deep.
            raise Unsupported(str(error)) from error
        function: Function = scope.namespace["body"]
        return function

    def _scope(self) -> Scope:
        constants = SlotContext(self._template, globals=self._fixed.constants, slots=self._fixed.addresses)
        namespace = {**helpers(constants), **self._encoders.names()}
        names = frozenset(self._fixed.constants)
        return Scope(
            self._template.env, constants, names, self._variables, namespace, self._whole, self._continues_loops
        )

    def _prologue(self, scope: Scope) -> list[str]:
        around = "    w, y = 1, {}" if self._whole else "    e, w, y = a"
        return [around] + [f"    {name} = {self._initial(root, scope)}" for root, name in scope.roots.items()]

    def _initial(self, root: str, scope: Scope) -> str:
        if self._whole and root in self._fixed.own_pages():
            return f"{self._fixed.own_pages()[root]!r}.replace({HOLE!r}, s)"
        if self._whole and root in self._fixed.constants:
            return scope.keep(self._fixed.constants[root])
        return f"c.get({root!r}, U)"

    def _epilogue(self, scope: Scope, nodes: Iterable[Node]) -> list[str]:
        if self._whole:
            return []
        assigned = sorted(_assigned(nodes, RenderContext(self._template)) & set(scope.roots))
        return [f"    if {scope.roots[name]} is not U: e[{name!r}] = {scope.roots[name]}" for name in assigned]


def _assigned(nodes: Iterable[Node], context: RenderContext) -> set[str]:
    return {str(name) for node in walk(nodes, context) for name in node.template_scope()}


def _variables(template: BoundTemplate, *, with_loops: bool) -> frozenset[str]:
    """Names that a template gives a meaning of its own, so that they are no constants."""
    context = RenderContext(template)
    names = _assigned(template.nodes, context)
    if with_loops:
        names |= {str(name) for node in walk(template.nodes, context) for name in node.block_scope()} | _LOOP_NAMES
    return frozenset(names)


def _continues_loops(template: BoundTemplate) -> bool:
    loops = (
        node for node in walk(template.nodes, RenderContext(template)) if isinstance(node, (ForNode, TablerowNode))
    )
    return any(isinstance(loop.expression.offset, StringLiteral) for loop in loops)
