"""Encoded forms of dynamic values, remembered: the same first names, prices and products come again and again.

Every table forgets all it knows at 8,192 entries, so one takes at most about 3 MB.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from delivery.rendering.quoted_printable import SOFT_BREAK, encode, is_plain_line

MAX_ENTRIES = 8192
MAX_LENGTH = 200
"""Longer values are encoded anew each time."""

_is_plain_html_line = re.compile(r"[ !#-%(-\-/-;?-~][ !#-%(-;?-~]{0,74}").fullmatch


class EncodedValues(dict[str, bytes]):
    """`values[text]` is a text in quoted-printable, encoded at the first look."""

    __slots__ = ()

    def __missing__(self, value: str) -> bytes:
        encoded = value.encode() + SOFT_BREAK if is_plain_line(value) else encode(value)
        self.remember(value, encoded)
        return encoded

    def remember(self, value: str, encoded: bytes) -> None:
        """Keeps an encoded form unless the value is long."""
        if len(value) <= MAX_LENGTH:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[value] = encoded


class EscapedValues(EncodedValues):
    """The same for HTML. Values that need no escape are shared with the text part, which mostly holds the same ones."""

    __slots__ = ("_escape", "_text")

    def __init__(self, escape: Callable[[str], str], text: EncodedValues) -> None:
        super().__init__()
        self._escape = escape
        self._text = text

    def __missing__(self, value: str) -> bytes:
        if _is_plain_html_line(value):
            encoded = value.encode() + SOFT_BREAK
            self._text.remember(value, encoded)
        else:
            encoded = encode(self._escape(value))
        self.remember(value, encoded)
        return encoded


class FilteredValues(EncodedValues):
    """`values[text]` is what filters with constant arguments make of a text, encoded."""

    __slots__ = ("_encode", "_filter")

    def __init__(self, filter_: Callable[[Any], object], encode_value: Callable[[object], bytes]) -> None:
        super().__init__()
        self._filter = filter_
        self._encode = encode_value

    def __missing__(self, value: str) -> bytes:
        encoded = self.of(value)
        self.remember(value, encoded)
        return encoded

    def of(self, value: object) -> bytes:
        """The same for any value, not remembered: 1, 1.0 and True are one key of a dict, but print differently."""
        return self._encode(self._filter(value))
