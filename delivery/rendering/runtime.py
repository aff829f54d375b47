"""What generated code calls: the parts of Liquid's semantics that do not fit in an expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
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
from delivery.rendering.quoted_printable import EncodedValues, normal_newlines

UNDEFINED = Undefined("")
MAX_ITERATIONS = 10_000
MAX_OUTPUT = 2_000_000
MAX_LOCAL = 100_000
WATCHED_LOOP = 256

_PLAIN_INT = 10**60  # its digits fit on one line

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
    start = loop_number(offset) or 0
    count = loop_number(limit)
    stop = None if count is None else count + start
    first = min(start, len(items))
    last = min(stop or len(items), len(items))
    taken = items[first : max(last, first)]
    return taken[::-1] if backwards else taken


def loop_limit() -> RenderError:
    """The error for too many iterations."""
    return RenderError("loop iteration limit reached")


def watched(items: Sequence[Any], pieces: list[Any]) -> Iterator[Any]:
    """The items of a long loop; every 256 the output so far is measured. Raises RenderError over 2 MB."""
    for number, value in enumerate(items):
        if not number % WATCHED_LOOP:
            check_size(pieces)
        yield value


def check_size(pieces: list[Any]) -> None:
    """Raises RenderError when the pieces come to more than 2 MB."""
    if sum(map(len, pieces)) > MAX_OUTPUT:
        raise RenderError("output limit reached")


def local(value: object) -> object:
    """A value about to be kept in a variable. Raises RenderError for a text of more than 100,000 characters."""
    if isinstance(value, str) and len(value) > MAX_LOCAL:
        raise RenderError("variables hold more than 100,000 characters")
    return value


def captured(pieces: list[str]) -> str:
    """The text of a captured variable. Raises RenderError as `local` does."""
    text = normal_newlines("".join(pieces))
    local(text)
    return text


def cycle(state: dict[str, int], group: object, values: list[Any]) -> object:
    """The next of the values of `{% cycle %}`; `group` is None, or what names the cycle."""
    name = "" if group is None else "__UNDEFINED" if isinstance(group, Undefined) else str(group)
    key = name or str(values)
    index = state.get(key, 0)
    state[key] = (index + 1) % (len(values) or 1)
    return values[index] if index < len(values) else ""


def encode_other(values: EncodedValues, html: bool, value: object) -> bytes:
    """The encoded form of a value that is not a plain str; `values` encodes without escaping."""
    if value.__class__ is int and -_PLAIN_INT < value < _PLAIN_INT:
        return b"%d=\r\n" % value
    return b"" if value is UNDEFINED or value is None else values[str(to_liquid_string(value, html))]


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
        "TOO_MANY": loop_limit,
        "WATCH": watched,
        "LOCAL": local,
        "CAPTURED": captured,
        "CYCLE": cycle,
        "S": partial(text_of, True),
        "P": partial(text_of, False),
    }
