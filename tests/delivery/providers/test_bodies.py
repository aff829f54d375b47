"""Compressed and strangely encoded bodies: read up to a size, and never an exception that nobody expects."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.providers.bodies import as_utf8
from delivery.providers.inflate import TooLargeError, UnknownEncodingError, inflated


@given(st.binary(max_size=500))
def test_what_was_packed_comes_out(body: bytes) -> None:
    assert inflated(gzip.compress(body), "gzip", 500) == body
    assert inflated(zlib.compress(body), "deflate", 500) == body
    assert inflated(gzip.compress(zlib.compress(body)), "deflate, gzip", 600) == body
    assert inflated(body, "", 500) == inflated(body, "identity", 500) == body


@given(st.binary(max_size=200), st.sampled_from(["gzip", "x-gzip", "deflate", "br", "gzip, br", ";;", "gzip,"]))
def test_any_body_is_unpacked_or_refused(body: bytes, encoding: str) -> None:
    with contextlib.suppress(TooLargeError, UnknownEncodingError):
        assert len(inflated(body, encoding, 100)) <= 100


def test_a_small_call_does_not_become_a_large_one() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 50_000
    with pytest.raises(TooLargeError):
        inflated(bomb, "gzip", 10_000_000)
    with pytest.raises(TooLargeError):
        inflated(gzip.compress(bomb), "gzip, gzip", 10_000_000)


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_body_becomes_text(body: bytes, content_type: str) -> None:
    found = as_utf8(body, content_type)
    assert found == body or found.decode()


@pytest.mark.parametrize("charset", ["iso-8859-1", '"ISO-8859-15"', "windows-1252", "no-such-charset", ""])
def test_western_letters_survive(charset: str) -> None:
    assert as_utf8("größer".encode("latin-1"), f"application/json; charset={charset}").decode() == "größer"
