"""Liquid conditions as Python conditions, which never fail: what cannot be compared is false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liquid.builtin.expressions import BooleanExpression, StringLiteral
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import IntegerLiteral
from liquid.expression import Expression

from delivery.rendering.expressions import Scope

_COMPARISONS: Mapping[type[Any], str] = {
    LtExpression: "LT({0}, {1})",
    GtExpression: "LT({1}, {0})",
    LeExpression: "LE({0}, {1})",
    GeExpression: "LE({1}, {0})",
    ContainsExpression: "HAS({0}, {1})",
}
# Python's operator where the left side is an int (no bool) and the right side an integer literal.
_OPERATORS = {"LT({0}, {1})": "<", "LT({1}, {0})": ">", "LE({0}, {1})": "<=", "LE({1}, {0})": ">="}


def condition_code(scope: Scope, condition: Expression) -> str:
    """Code for a condition: "True" or "False" where every reader has the same."""
    if scope.is_constant(condition):
        return str(bool(scope.constant_value(condition)))
    return _condition(scope, condition)


def _condition(scope: Scope, expression: Expression) -> str:
    if isinstance(expression, BooleanExpression):
        return _condition(scope, expression.expression)
    if isinstance(expression, LogicalAndExpression):
        return f"({_condition(scope, expression.left)} and {_condition(scope, expression.right)})"
    if isinstance(expression, LogicalOrExpression):
        return f"({_condition(scope, expression.left)} or {_condition(scope, expression.right)})"
    if isinstance(expression, (EqExpression, NeExpression)):
        return _equality(scope, expression)
    template = next((template for kind, template in _COMPARISONS.items() if isinstance(expression, kind)), None)
    if template:
        return _comparison(scope, expression, template)
    value = scope.name("x")
    test = f"{value} is not False and {value}.__class__ is not Undefined"
    return f"(({value} := {scope.code(expression)}) is not None and {test})"


def _comparison(scope: Scope, expression: Any, template: str) -> str:
    left, right = scope.code(expression.left), scope.code(expression.right)
    operator = _OPERATORS.get(template)
    if operator and isinstance(expression.right, IntegerLiteral):
        value = scope.name("x")
        slow = template.format(value, right)
        return f"({value} {operator} {right} if ({value} := {left}).__class__ is int else {slow})"
    return template.format(left, right)


def _equality(scope: Scope, expression: EqExpression | NeExpression) -> str:
    left, right = expression.left, expression.right
    is_equal = isinstance(expression, EqExpression)
    if isinstance(right, StringLiteral):
        # For a str on the right, Liquid's comparison is Python's.
        return f"({scope.code(left)} {'==' if is_equal else '!='} {right.value!r})"
    return f"{'' if is_equal else 'not '}EQ({scope.code(left)}, {scope.code(right)})"
