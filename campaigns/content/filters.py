"""The filters marketers may use, each with a cap on what it takes and gives.

Without caps nine chained `replace` filters on an empty search text took 2.4 GB and nine seconds before a MemoryError
(reference measurement of python-liquid 2.3.6). `safe` is left out: it would put a contact's data into HTML unescaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from liquid import Environment
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.filter import with_context
from liquid.undefined import Undefined

from campaigns.content.dates import date
from campaigns.content.money import money

MAX_TEXT = 100_000
MAX_ITEMS = 10_000
MAX_UNIQUE_ITEMS = 1_000  # python-liquid's uniq compares all pairs
MAX_BITS = 256

LEFT_OUT = frozenset({"safe", "escapejs"})

NOTHING = Undefined("")
"""What a filter gives at send time when the data does not fit it: prints as nothing, and `default` replaces it."""

Filter = Callable[..., Any]


class FilterLimitError(ResourceLimitError):
    """A filter was given, or would make, more than the caps allow."""


def capped_filters(builtin: Mapping[str, Filter], *, strict: bool) -> dict[str, Filter]:
    """Every allowed filter by name. Strict ones raise on data that does not fit; the others then give `NOTHING`."""
    allowed = {name: filter_ for name, filter_ in builtin.items() if name not in LEFT_OUT}
    allowed |= {"date": with_context(date), "money": money}
    return {name: _capped(filter_, _GROWTH.get(name), strict=strict) for name, filter_ in allowed.items()}


def install(environment: Environment, *, strict: bool) -> None:
    """Replace the environment's filters by the capped ones."""
    environment.filters = capped_filters(environment.filters, strict=strict)


def _capped(filter_: Filter, growth: Callable[..., int] | None, *, strict: bool) -> Filter:
    # wraps() copies with_environment and with_context, by which python-liquid decides what a filter is passed.
    @wraps(filter_)
    def call(value: object, *args: object, **options: Any) -> object:
        try:
            _check(value)
            for arg in args:
                _check(arg)
            if growth is not None and growth(value, *args) > MAX_TEXT:
                raise FilterLimitError("a filter would make more than 100,000 characters", token=None)
            result = filter_(value, *args, **options)
            _check(result)
        except ResourceLimitError:
            raise
        except (LiquidError, TypeError, ValueError, ArithmeticError, LookupError):
            if strict:
                raise
            return NOTHING
        return result

    return call


def _check(value: object) -> None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise FilterLimitError("a filter met a text of more than 100,000 characters", token=None)
    elif isinstance(value, (list, tuple, range)):
        if len(value) > MAX_ITEMS:
            raise FilterLimitError("a filter met a list of more than 10,000 items", token=None)
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise FilterLimitError("a filter met a number of more than 77 digits", token=None)


def _replaced_length(value: object, search: object = "", replacement: object = "", *_: object) -> int:
    text, searched = str(value), str(search)
    found = text.count(searched) if searched else len(text) + 1
    return len(text) + found * len(str(replacement))


def _joined_length(value: object, separator: object = " ", *_: object) -> int:
    if not isinstance(value, (list, tuple)):
        return 0
    return sum(len(str(item)) for item in value) + len(value) * len(str(separator))


def _unique_work(value: object, *_: object) -> int:
    return MAX_TEXT + 1 if isinstance(value, (list, tuple)) and len(value) > MAX_UNIQUE_ITEMS else 0


_GROWTH: dict[str, Callable[..., int]] = {
    "replace": _replaced_length,
    "join": _joined_length,
    "uniq": _unique_work,
}
