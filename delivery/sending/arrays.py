"""PostgreSQL arrays in its binary format, as parameters of prepared statements: `array_recv` in its arrayfuncs.c.

psycopg goes through a list element by element; for the 450 of a journal step that took 110 us of its 160.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from struct import Struct

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Elements' types: object id in pg_type.dat, size in bytes and letter of the struct module.
_SMALLINT, _BIGINT, _TEXT = (21, 2, "h"), (20, 8, "q"), 25
# Dimensions, whether there is a NULL, the elements' type; for the one dimension: how many, and the first's subscript.
_head, _dimension = Struct(">iiI").pack, Struct(">ii").pack
_length = Struct(">i").pack
_NULL = _length(-1)


class Array(bytes):
    """A parameter that is an array already; its statement says of which type: `%(name)b::bigint[]`."""


class _ArrayDumper(Dumper):
    format = Format.BINARY
    oid = 0  # unknown: PostgreSQL takes the type of the cast

    def dump(self, obj: Array) -> Array:
        return obj


psycopg.adapters.register_dumper(Array, _ArrayDumper)


def smallints(values: Sequence[int]) -> Array:
    """A smallint[]; struct.error for a number outside of 16 bits."""
    return _numbers(values, _SMALLINT)


def bigints(values: Sequence[int | None]) -> Array:
    """A bigint[]; None is NULL."""
    return _numbers(values, _BIGINT)


def texts(values: Sequence[str]) -> Array:
    """A text[]. PostgreSQL refuses what is not UTF-8 (lone surrogates: UnicodeEncodeError here) or holds a NUL."""
    parts = {value: _text(value) for value in set(values)}  # most are the same
    return _array(False, _TEXT, len(values), [parts[value] for value in values])


def _numbers(values: Sequence[int | None], kind: tuple[int, int, str]) -> Array:
    oid, size, letter = kind
    if None not in values:
        interleaved: list[int | None] = [size] * (2 * len(values))
        interleaved[1::2] = values
        return _array(False, oid, len(values), [_pairs(len(values), letter)(*interleaved)])
    one = _pairs(1, letter)
    return _array(True, oid, len(values), [_NULL if value is None else one(size, value) for value in values])


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded


@cache
def _pairs(n: int, letter: str) -> Callable[..., bytes]:
    return Struct(">" + f"i{letter}" * n).pack


def _array(has_null: bool, oid: int, n: int, parts: Sequence[bytes]) -> Array:
    if n == 0:
        return Array(_head(0, 0, oid))
    return Array(b"".join([_head(1, has_null, oid), _dimension(n, 1), *parts]))
