"""The Liquid dialect of Fanfare: python-liquid with limits, without files, with comparisons that never fail at send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, Node, RenderContext, Token
from liquid.builtin.expressions import BooleanExpression
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
)
from liquid.builtin.expressions.loop import LoopExpression
from liquid.builtin.tags.for_tag import ForNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.limits import to_int
from liquid.undefined import FalsyStrictUndefined, Undefined

from campaigns.content import filters
from campaigns.content.problems import RenderError
from campaigns.content.slots import SLOT_TAGS, SlotContext, Slots

# include and render read other templates; ifchanged, increment and decrement have no use in a message.
LEFT_OUT_TAGS = ("include", "render")


class _Language(Environment):
    loop_iteration_limit = 10_000
    output_stream_limit = 2_000_000
    local_namespace_limit = 100_000
    context_depth_limit = 20
    block_nesting_limit = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in LEFT_OUT_TAGS:
            del self.tags[name]


@lru_cache(maxsize=8)
def author_language() -> Environment:
    """What a marketer's source is checked with: no slot tags."""
    environment = _Language(autoescape=True)
    filters.install(environment, strict=True)
    return environment


@lru_cache(maxsize=8)
def language(*, html: bool, strict: bool) -> Environment:
    """What compiled content is rendered with.

    HTML escapes every value. Strict (preview) raises on a field that does not exist and on data that does not fit a
    filter or comparison; otherwise (send) such a value prints as nothing and such a comparison is false.
    """
    environment = _Language(autoescape=html, undefined=FalsyStrictUndefined if strict else Undefined)
    filters.install(environment, strict=strict)
    for tag in SLOT_TAGS:
        environment.add_tag(tag)
    return environment


def parse(source: str, *, html: bool, strict: bool = False) -> BoundTemplate:
    """The syntax tree of a compiled part."""
    template = language(html=html, strict=strict).from_string(source)
    if not strict:
        _make_total(template.nodes, RenderContext(template))
    return template


def render_template(template: BoundTemplate, context: Mapping[str, object], slots: Slots) -> str:
    """One reader's copy of one part. Raises RenderError where a limit is reached or the data does not fit."""
    buffer = template._get_buffer()
    try:
        template.render_with_context(SlotContext(template, globals=context, slots=slots), buffer)
    except LiquidError as error:
        raise RenderError(str(error.message)) from error
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise RenderError(f"the data does not fit the template: {error}") from error
    return buffer.getvalue()


class _Total:
    """Mixed into a comparison: values that cannot be compared compare as false."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        try:
            return super().evaluate(context)  # type: ignore[misc]
        except (LiquidError, TypeError):
            return False


class _Lt(_Total, LtExpression):
    __slots__ = ()


class _Gt(_Total, GtExpression):
    __slots__ = ()


class _Le(_Total, LeExpression):
    __slots__ = ()


class _Ge(_Total, GeExpression):
    __slots__ = ()


class _Contains(_Total, ContainsExpression):
    __slots__ = ()


_TOTAL: dict[type[Expression], type[Any]] = {
    LtExpression: _Lt,
    GtExpression: _Gt,
    LeExpression: _Le,
    GeExpression: _Ge,
    ContainsExpression: _Contains,
}


class _Loop(LoopExpression):
    """A loop whose limit or offset may be anything: what is no number counts as absent, less than 0 as 0."""

    __slots__ = ()

    def _to_int(self, obj: object, *, token: Token) -> int:  # noqa: ARG002 python-liquid names the parameter
        # None is what python-liquid has for an absent limit.
        return loop_number(obj)  # type: ignore[return-value]


def loop_number(value: object) -> int | None:
    """A limit or an offset, between 0 and a million."""
    try:
        return min(max(to_int(value), 0), 1_000_000)
    except (ValueError, TypeError, OverflowError, LiquidError):
        return None


def _make_total(nodes: Iterable[Node], context: RenderContext) -> None:
    for node in walk(nodes, context):
        if isinstance(node, (ForNode, TablerowNode)):
            node.expression = _total_loop(node.expression)
        for expression in node.expressions():
            if isinstance(expression, BooleanExpression):
                expression.expression = _total(expression.expression)


def _total_loop(loop: LoopExpression) -> LoopExpression:
    return _Loop(
        loop.token,
        loop.identifier,
        loop.iterable,
        limit=loop.limit,
        offset=loop.offset,
        reversed_=loop.reversed,
        cols=loop.cols,
    )


def _total(expression: Expression) -> Expression:
    if isinstance(expression, (LogicalAndExpression, LogicalOrExpression)):
        expression.left = _total(expression.left)
        expression.right = _total(expression.right)
    elif total := _TOTAL.get(type(expression)):
        made: Expression = total(expression.token, expression.left, expression.right)  # type: ignore[attr-defined]
        return made
    return expression


def walk(nodes: Iterable[Node], context: RenderContext) -> Iterator[Node]:
    """Every node of a tree, parents first."""
    for node in nodes:
        yield node
        yield from walk(node.children(context), context)
