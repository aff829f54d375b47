"""Compressed webhook bodies, up to a size: a small call must not become a large one."""

from __future__ import annotations

import zlib

# RFC 9110 section 8.4.1; "deflate" is zlib's format, but some senders write the bare stream.
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15), "": (), "identity": ()}


class UnknownEncodingError(ValueError):
    """The body is compressed in a way that we do not read, or its compression is broken."""


class TooLargeError(ValueError):
    """The body is larger than it may be, once it is unpacked."""


def inflated(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its Content-Encoding; raises UnknownEncodingError or TooLargeError."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name not in _WINDOWS:
            raise UnknownEncodingError(f"The content encoding {name!r} is not known; gzip and deflate are.")
        if _WINDOWS[name]:
            body = _one(body, _WINDOWS[name], most)
    if len(body) > most:
        raise TooLargeError(f"A call may have {most:,} bytes.")
    return body


def _one(body: bytes, windows: tuple[int, ...], most: int) -> bytes:
    for window in windows:
        unpacker = zlib.decompressobj(window)
        try:
            found = unpacker.decompress(body, most + 1)
        except zlib.error:
            continue
        if len(found) > most:
            raise TooLargeError(f"A call may have {most:,} bytes once it is unpacked.")
        if unpacker.eof:
            return found
    raise UnknownEncodingError("The body is not compressed as its Content-Encoding says.")
