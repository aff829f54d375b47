"""The beginning that all bodies of one content share, hashed once: what readers have of their own is left to hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import takewhile
from operator import is_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

WORTH_BYTES = 4_096  # SHA-256 takes some 3 µs for as much; comparing the pieces costs about one


class SharedStart:
    """Learns from the first two bodies; a later one that begins otherwise (another branch) is hashed whole.

    Static pieces are the same objects in every body, so comparing is comparing pointers.
    """

    def __init__(self) -> None:
        self._first: list[bytes] = []
        self._pieces: list[bytes] = []
        self._hashed: _Hash | None = None
        self._n_seen = 0

    def start_of(self, body: Sequence[bytes]) -> tuple[_Hash | None, int]:
        """(a SHA-256 of the body's first pieces, how many they are), or (None, 0)."""
        if self._n_seen < 2:
            self._learn(body)
        if self._hashed is None or not all(map(is_, self._pieces, body)):
            return None, 0
        return self._hashed, len(self._pieces)

    def _learn(self, body: Sequence[bytes]) -> None:
        self._n_seen += 1
        if self._n_seen == 1:
            self._first = list(body)
            return
        # The last piece is never shared: the rest must say how the body ends (RFC 6376 section 3.4.3).
        pairs = takewhile(lambda pair: pair[0] is pair[1], zip(self._first, body[:-1], strict=False))
        pieces = [piece for piece, _ in pairs]
        self._first = []
        if sum(map(len, pieces)) >= WORTH_BYTES:
            self._pieces, self._hashed = pieces, hashlib.sha256(b"".join(pieces))
