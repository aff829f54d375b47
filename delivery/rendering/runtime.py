"""What generated code calls: the parts of Liquid's semantics that do not fit in an expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from sys import getsizeof
from typing import Any

from liquid import RenderContext
from liquid.builtin.expressions.logical import _contains, _eq, _le, _lt
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_EOF, Token
from liquid.undefined import Undefined
from markupsafe import Markup

from campaigns.content.language import loop_number
from campaigns.content.problems import RenderError
from delivery.rendering.quoted_printable import normal_newlines

UNDEFINED = Undefined("")
MAX_ITERATIONS = 10_000
MAX_OUTPUT = 6_000_000  # encoded: python-liquid allows 2 MB of text, which takes up to three times as much
MAX_LOCALS = 100_000
WATCHED_LOOP = 256

_SIZES = 0  # the key of a dict's entry beside those of cycles, which are texts

_NO_TOKEN = Token(TOKEN_EOF, "", -1, "")

equal = _eq


def item(context: RenderContext, value: object, key: object) -> object:
    """`value.key` or `value[key]` for anything but a plain key of a dict."""
    try:
        return context.get_item(value, key)
    except (KeyError, TypeError, IndexError):
        return UNDEFINED


def less(left: object, right: object) -> bool:
    """`left < right`; false for values that cannot be compared."""
    try:
        return _lt(_NO_TOKEN, left, right)
    except LiquidError:
        return False


def less_or_equal(left: object, right: object) -> bool:
    """`left <= right`; false for values that cannot be compared."""
    try:
        return _le(left, right)
    except LiquidError:
        return False


def contains(left: object, right: object) -> bool:
    """`left contains right`; false where the left side holds nothing."""
    try:
        return _contains(_NO_TOKEN, left, right)
    except (LiquidError, TypeError):
        return False


def loop_items(value: object) -> Sequence[Any]:
    """What a for loop goes over. Raises RenderError for a range of more than 10,000 numbers."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, range):
        if value.stop - value.start > MAX_ITERATIONS:
            raise loop_limit()
        return value
    if isinstance(value, str):
        return [value] if value else ()
    return value if isinstance(value, Sequence) else ()


def loop_slice(items: Sequence[Any], limit: object, offset: object, *, backwards: bool) -> Sequence[Any]:
    """The items between offset and limit. A limit of 0 at offset 0 means no limit, as in python-liquid."""
    first, last = _bounds(len(items), limit, loop_number(offset) or 0)
    taken = items[first:last]
    return taken[::-1] if backwards else taken


def noted_slice(
    stops: dict[object, Any], key: object, items: Sequence[Any], limit: object, offset: object
) -> Sequence[Any]:
    """The same where loops may go on: `stops` notes under `key` where this one ends."""
    start = stops.get(key, 0) if offset == "continue" else loop_number(offset) or 0
    first, last = _bounds(len(items), limit, start)
    stops[key] = last
    return items[first:last]


def _bounds(length: int, limit: object, start: int) -> tuple[int, int]:
    count = loop_number(limit)
    stop = None if count is None else count + start
    return min(start, length), min(stop or length, length)


def loop_limit() -> RenderError:
    """The error for too many iterations."""
    return RenderError("loop iteration limit reached")


def watched(items: Sequence[Any], pieces: list[Any]) -> Iterator[Any]:
    """The items of a long loop; every 256 the output so far is measured. Raises RenderError over 6 MB."""
    for number, value in enumerate(items):
        if not number % WATCHED_LOOP:
            check_size(pieces)
        yield value


def check_size(pieces: list[Any]) -> None:
    """Raises RenderError when the pieces come to more than 6 MB, before they are joined."""
    if len(pieces) > WATCHED_LOOP and sum(map(len, pieces)) > MAX_OUTPUT:
        raise RenderError("output limit reached")


def local(state: dict[object, Any], name: str, value: object) -> object:
    """A value about to be kept in a variable. Raises RenderError when all variables come to more than 100,000 bytes."""
    sizes: dict[str, int] = state.setdefault(_SIZES, {})
    sizes[name] = getsizeof(value, 1)
    if sum(sizes.values()) > MAX_LOCALS:
        raise RenderError("local namespace limit reached")
    return value


def captured(pieces: list[str]) -> str:
    """The text of a captured block, with the line ends that python-liquid's buffers make."""
    check_size(pieces)
    return normal_newlines("".join(pieces))


def cycle(state: dict[object, Any], group: object, values: list[Any]) -> object:
    """The next of the values of `{% cycle %}`; `group` is None, or what names the cycle."""
    name = "" if group is None else "__UNDEFINED" if isinstance(group, Undefined) else str(group)
    key = name or str(values)
    index = state.get(key, 0)
    state[key] = (index + 1) % (len(values) or 1)
    return values[index] if index < len(values) else ""


def text_of(html: bool, value: object) -> str:
    """A value as text, escaped in HTML."""
    return str(to_liquid_string(value, html))


def helpers(context: RenderContext) -> dict[str, Any]:
    """The names generated code uses, except for constants and encoders."""
    return {
        "U": UNDEFINED,
        "Undefined": Undefined,
        "Markup": Markup,
        "I": partial(item, context),
        "EQ": equal,
        "LT": less,
        "LE": less_or_equal,
        "HAS": contains,
        "ITEMS": loop_items,
        "SLICE": loop_slice,
        "NOTED": noted_slice,
        "TOO_MANY": loop_limit,
        "WATCH": watched,
        "LOCAL": local,
        "CAPTURED": captured,
        "CYCLE": cycle,
        "S": partial(text_of, True),
        "P": partial(text_of, False),
    }
