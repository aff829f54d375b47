"""Encoded forms of dynamic values, remembered: the same first names, prices and products come again and again.

Every table forgets all it knows at 8,192 entries, so one takes at most about 3 MB.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from liquid.stringify import to_liquid_string
from markupsafe import escape

from delivery.rendering.quoted_printable import SOFT_BREAK, encode, is_plain_line

MAX_ENTRIES = 8192
MAX_LENGTH = 200
"""Longer values are encoded anew each time."""

_PLAIN_INT = 10**60  # its digits fit on one line
_is_plain_html_line = re.compile(r"[ !#-%(-\-/-;?-~][ !#-%(-;?-~]{0,74}").fullmatch


class EncodedValues(dict[str, bytes]):
    """`values[text]` is a text in quoted-printable, encoded at the first look.

    Values of other types may be asked for as well; they are printed as Liquid prints them and not remembered, because
    1, 1.0 and True are one key of a dict. `Markup` must not be asked for: it is the same key as its plain text.
    """

    __slots__ = ()

    def __missing__(self, value: str) -> bytes:
        if value.__class__ is not str:
            return self.other(value)
        encoded = self.made(value)
        self.remember(value, encoded)
        return encoded

    def made(self, value: str) -> bytes:
        """The encoded form, made anew."""
        return value.encode() + SOFT_BREAK if is_plain_line(value) else encode(value)

    def other(self, value: object) -> bytes:
        """The encoded form of a value that is not a plain str."""
        if type(value) is int and -_PLAIN_INT < value < _PLAIN_INT:
            return b"%d=\r\n" % value
        return b"" if value is None else self.made(str(to_liquid_string(value, autoescape=False)))

    def any(self, value: object) -> bytes:
        """The encoded form of any value."""
        return self[value] if type(value) is str else self.other(value)

    def remember(self, value: str, encoded: bytes) -> None:
        """Keeps an encoded form unless the value is long."""
        if len(value) <= MAX_LENGTH:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[value] = encoded


class EscapedValues(EncodedValues):
    """The same for HTML. Values that need no escape are shared with the text part, which mostly holds the same ones;
    `finished` has what needs none because it is HTML.
    """

    __slots__ = ("_finished", "_text")

    def __init__(self, text: EncodedValues, finished: EncodedValues) -> None:
        super().__init__()
        self._text = text
        self._finished = finished

    def __missing__(self, value: str) -> bytes:
        # Some seven values of a message are its reader's alone: this is one function and not four, which saves 2 us.
        if value.__class__ is not str:
            return self.other(value)
        if not _is_plain_html_line(value):
            encoded = encode(str(escape(value)))
            self.remember(value, encoded)
            return encoded
        encoded = value.encode() + SOFT_BREAK
        for table in (self, self._text):
            if len(table) >= MAX_ENTRIES:
                table.clear()
            table[value] = encoded
        return encoded

    def other(self, value: object) -> bytes:
        """The encoded form of a value that is not a plain str; `Markup` is finished HTML."""
        if type(value) is int and -_PLAIN_INT < value < _PLAIN_INT:
            return b"%d=\r\n" % value
        return b"" if value is None else self._finished[str(to_liquid_string(value, autoescape=True))]


class FilteredValues(EncodedValues):
    """`values[text]` is what filters with constant arguments make of a text, encoded."""

    __slots__ = ("_encode", "_filter")

    def __init__(self, filter_: Callable[[Any], object], encode_value: Callable[[object], bytes]) -> None:
        super().__init__()
        self._filter = filter_
        self._encode = encode_value

    def made(self, value: str) -> bytes:
        """The encoded form, made anew."""
        return self._encode(self._filter(value))

    def other(self, value: object) -> bytes:
        """The same for a value that is not a plain str."""
        return self._encode(self._filter(value))
