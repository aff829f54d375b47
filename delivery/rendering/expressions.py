"""Liquid expressions as Python expressions.

Nothing of a template's text gets into the code but through repr(); names are generated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from liquid import Environment, RenderContext
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.arguments import KeywordArgument, PositionalArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import Blank, Empty, RangeLiteral
from liquid.exceptions import LiquidError
from liquid.expression import Expression


class Unsupported(Exception):
    """The template has something that generated code does not do."""


@dataclass(slots=True)
class Loop:
    """A for loop around the code being written: its item's name in the template and the Python names of its state.

    `over_data`: its items are the reader's data, so none of them is finished HTML.
    """

    item: str
    value: str
    index: str
    length: str
    label: str
    over_data: bool
    uses_index: bool = False


# What {{ forloop.NAME }} is, from the index and the length.
_LOOP_VALUES = {
    "index": "({i} + 1)",
    "index0": "{i}",
    "rindex": "({n} - {i})",
    "rindex0": "({n} - {i} - 1)",
    "first": "({i} == 0)",
    "last": "({i} == {n} - 1)",
    "length": "{n}",
}
_SPECIAL_KEYS = frozenset({"size", "first", "last"})


@dataclass(slots=True)
class Scope:
    """What names mean while a template is compiled: loops, assigned variables, constants, and the reader's context.

    `is_whole`: all of the template is compiled. `continues_loops`: it says `offset: continue` somewhere, so every loop
    must note where it stopped.
    """

    environment: Environment
    constants: RenderContext
    constant_names: frozenset[str]
    assigned: frozenset[str]
    namespace: dict[str, Any]
    is_whole: bool = True
    continues_loops: bool = False
    loops: list[Loop] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def name(self, kind: str) -> str:
        """A fresh Python name."""
        return f"{kind}{next(self._numbers)}"

    def keep(self, value: object) -> str:
        """The name under which generated code finds a value."""
        name = self.name("K")
        self.namespace[name] = value
        return name

    def is_constant(self, expression: Expression) -> bool:
        """Whether an expression has the same value for every reader."""
        if isinstance(expression, Path):
            root = expression.path[0]
            if not isinstance(root, str) or root not in self.constant_names or self._is_local(root):
                return False
        return all(self.is_constant(child) for child in expression.children())

    def _is_local(self, root: str) -> bool:
        in_loop = bool(self.loops) and (root == "forloop" or any(root == loop.item for loop in self.loops))
        return in_loop or root in self.assigned

    def constant_value(self, expression: Expression) -> object:
        """The value of a constant expression."""
        try:
            return expression.evaluate(self.constants)
        except LiquidError as error:
            raise Unsupported(str(error.message)) from error

    def code(self, expression: Expression) -> str:
        """Python code for the expression's value."""
        if self.is_constant(expression) and not isinstance(expression, (Empty, Blank)):
            return self._constant(self.constant_value(expression))
        write = _WRITERS.get(type(expression))
        if write is None:
            raise Unsupported(type(expression).__name__)
        return write(self, expression)

    def _constant(self, value: object) -> str:
        if value is None or isinstance(value, (bool, int, float)) or type(value) is str:
            return repr(value)
        return self.keep(value)

    def path(self, path: Path) -> str:
        """Code for a variable and its members."""
        root, *keys = path.path
        if not isinstance(root, str):
            raise Unsupported("a path that begins with a bracket")
        if root == "forloop" and self.loops:
            return self._loop_value(len(self.loops) - 1, keys)
        loop = next((loop for loop in reversed(self.loops) if root == loop.item), None)
        code = loop.value if loop is not None else self.variable(root)
        for key in keys:
            code = self._member(code, key)
        return code

    def variable(self, root: str) -> str:
        """The Python name of a variable; `roots` then knows that it must be set at the start."""
        if root not in self.roots:
            self.roots[root] = self.name("r")
        return self.roots[root]

    def _member(self, code: str, key: str | int | Path) -> str:
        if isinstance(key, Path):
            return f"I({code}, {self.path(key)})"
        if isinstance(key, int):
            return f"I({code}, {key!r})"
        value, given = (code, code) if code.isidentifier() else (name := self.name("x"), f"({name} := {code})")
        if key in _SPECIAL_KEYS:
            return f"({value}[{key!r}] if {given}.__class__ is dict and {key!r} in {value} else I({value}, {key!r}))"
        return f"({value}.get({key!r}, U) if {given}.__class__ is dict else I({value}, {key!r}))"

    def _loop_value(self, depth: int, keys: list[str | int | Path]) -> str:
        while keys[:1] == ["parentloop"] and depth > 0:
            depth, keys = depth - 1, keys[1:]
        loop = self.loops[depth]
        if keys == ["name"]:
            return repr(loop.label)
        if len(keys) != 1 or keys[0] not in _LOOP_VALUES:
            raise Unsupported("forloop as a whole")
        loop.uses_index = True
        return _LOOP_VALUES[str(keys[0])].format(i=loop.index, n=loop.length)

    def filtered(self, expression: FilteredExpression) -> str:
        """Code for a value passed through filters."""
        code = self.code(expression.left)
        for applied in expression.filters or []:
            code = self._filter_call(code, applied)
        return code

    def direct(self, expression: Expression) -> str | None:
        """Short code for a member of the reader's data, or None.

        It raises KeyError or TypeError where the member is not there. Variables that the template assigns have none:
        they may hold finished HTML, which a table of plain values must not be asked for.
        """
        path = expression.left if isinstance(expression, FilteredExpression) and not expression.filters else expression
        if not isinstance(path, Path) or not all(isinstance(key, str) for key in path.path):
            return None
        root, *keys = map(str, path.path)
        start = self._data_root(root, keys)
        return start + "".join(f"[{key!r}]" for key in keys) if start else None

    def _data_root(self, root: str, keys: list[str]) -> str | None:
        loop = next((loop for loop in reversed(self.loops) if root == loop.item), None)
        if loop is not None:
            return loop.value if loop.over_data else None
        return self.variable(root) if keys and root not in self.assigned and root != "forloop" else None

    def lone_default(self, expression: Expression, value: str) -> str | None:
        """Code for what `| default: …` alone makes of the value of that Python name; None for other expressions."""
        filters = expression.filters if isinstance(expression, FilteredExpression) else None
        if not filters or len(filters) > 1 or filters[0].name != "default" or len(filters[0].args) != 1:
            return None
        return self._filter_call(value, filters[0]) if isinstance(filters[0].args[0], PositionalArgument) else None

    def constant_filters(self, expression: Expression) -> Callable[[Any], object] | None:
        """What the filters of an expression make of a value, if no argument is the reader's; else None.

        A lone `default` is left to the code: a text that is there passes through it.
        """
        filters = expression.filters if isinstance(expression, FilteredExpression) else None
        if not filters or [applied.name for applied in filters] == ["default"]:
            return None
        if not all(self.is_constant(argument.value) for applied in filters for argument in applied.args):
            return None
        return partial(_apply, [self._bound(applied) for applied in filters])

    def _bound(self, applied: Filter) -> tuple[Callable[..., object], list[object], dict[str, object]]:
        arguments: list[object] = []
        options: dict[str, object] = {}
        for argument in applied.args:
            value = self.constant_value(argument.value)
            if isinstance(argument, KeywordArgument):
                options[argument.name] = value
            else:
                arguments.append(value)
        return self.namespace[self._filter(applied.name)], arguments, options

    def _filter_call(self, left: str, applied: Filter) -> str:
        arguments = [left]
        for argument in applied.args:
            value = self.code(argument.value)
            if isinstance(argument, KeywordArgument):
                value = f"**{{{argument.name!r}: {value}}}"
            arguments.append(value)
        # Keyword arguments may stand before positional ones in Liquid, not in Python.
        arguments.sort(key=lambda code: code.startswith("**"))
        return f"{self._filter(applied.name)}({', '.join(arguments)})"

    def _filter(self, name: str) -> str:
        known = f"F_{name}"
        if known not in self.namespace:
            filter_ = self.environment.filters.get(name)
            if filter_ is None or not known.isidentifier():
                raise Unsupported(f"filter {name}")
            bound: dict[str, Any] = {}
            if getattr(filter_, "with_context", False):
                bound["context"] = self.constants
            if getattr(filter_, "with_environment", False):
                bound["environment"] = self.environment
            self.namespace[known] = partial(filter_, **bound) if bound else filter_
        return known


def _apply(filters: list[tuple[Callable[..., object], list[object], dict[str, object]]], value: object) -> object:
    for filter_, arguments, options in filters:
        value = filter_(value, *arguments, **options)
    return value


def _range(scope: Scope, expression: RangeLiteral) -> str:
    make = scope.keep(expression._make_range)
    return f"{make}({scope.code(expression.start)}, {scope.code(expression.stop)})"


_WRITERS: Mapping[type[Expression], Callable[[Scope, Any], str]] = {
    Path: Scope.path,
    FilteredExpression: Scope.filtered,
    Empty: lambda scope, expression: scope.keep(expression),
    Blank: lambda scope, expression: scope.keep(expression),
    RangeLiteral: _range,
}
