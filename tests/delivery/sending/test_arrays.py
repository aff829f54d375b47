"""Binary arrays: PostgreSQL reads from them what psycopg would have sent element by element."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from delivery.sending.arrays import bigints, smallints, texts
from delivery.sending.prepared import run_prepared

BACK = "SELECT %(small)b::smallint[], %(big)b::bigint[], %(words)b::text[]"
# PostgreSQL's text takes every character but NUL; surrogates are no characters.
WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=120)
SMALL = st.lists(st.integers(-(2**15), 2**15 - 1), max_size=120)
BIG = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=120)


class TestRoundTrip(TestCase):
    @given(SMALL, BIG, WORDS)
    def test_what_comes_back_is_what_went(
        self, small: Sequence[int], big: Sequence[int | None], words: Sequence[str]
    ) -> None:
        params = {"small": smallints(small), "big": bigints(big), "words": texts(words)}
        assert run_prepared(BACK, params) == [(small, big, words)]


def test_an_array_without_elements_has_no_dimension() -> None:
    assert (smallints([]), texts([])) == (struct.pack(">iiI", 0, 0, 21), struct.pack(">iiI", 0, 0, 25))


def test_a_number_too_large_for_its_type_is_refused() -> None:
    with pytest.raises(struct.error):
        smallints([2**15])
