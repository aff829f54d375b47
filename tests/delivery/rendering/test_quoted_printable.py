"""Pieces of quoted-printable that can be joined in any order of arrival."""

from __future__ import annotations

import quopri
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.rendering.encoded_values import MAX_ENTRIES, EncodedValues, EscapedValues, FilteredValues
from delivery.rendering.quoted_printable import Layout, encode, encode_around, normal_newlines

AWKWARD = (
    "",
    " ",
    ".",
    "..",
    "\n",
    "\r\n",
    "\r",
    "=",
    "\t",
    "a ",
    " \n",
    "x" * 75,
    "x" * 76,
    "." * 200,
    "é" * 80,
    "👩‍🚀",
    "=\n.",
)
texts = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(codec="utf-8"), max_size=200))


def decoded(encoded: bytes) -> str:
    return quopri.decodestring(encoded).decode().replace("\r\n", "\n")


def check_lines(encoded: bytes) -> None:
    assert all(len(line) <= 76 and not line.startswith(b".") for line in encoded.split(b"\r\n"))
    assert not encoded.endswith(b"=")
    assert all(not line.endswith((b" ", b"\t")) for line in encoded.split(b"\r\n"))


@given(st.lists(texts, max_size=8))
def test_pieces_join_to_the_encoding_of_the_whole(pieces: list[str]) -> None:
    joined = b"".join(map(encode, pieces))

    assert decoded(joined) == "".join(map(normal_newlines, pieces))
    check_lines(joined)


@given(st.lists(st.one_of(texts, st.none()), max_size=12))
def test_holes_are_filled_without_breaks_of_their_own(parts: list[str | None]) -> None:
    layout = Layout()
    for part in parts:
        if part is None:
            layout.hole("t", 22)
        else:
            layout.text(part)
    filled = b"".join(piece if isinstance(piece, bytes) else b"T" * 22 for piece in layout.end())

    assert decoded(filled) == "".join("T" * 22 if part is None else normal_newlines(part) for part in parts)
    check_lines(filled)


@given(st.lists(texts, min_size=1, max_size=5))
def test_a_text_around_a_token_is_one_join(parts: list[str]) -> None:
    text = "\x00".join(part.replace("\x00", "") for part in parts)

    filled = (b"T" * 22).join(encode_around("\x00", 22, text))

    assert decoded(filled) == normal_newlines(text).replace("\x00", "T" * 22)
    check_lines(filled)


def test_blanks_before_a_line_end_are_encoded() -> None:
    assert encode("a \nb\t\n") == b"a=20\r\nb=09\r\n"
    assert encode("x" * 74 + " \n") == b"x" * 74 + b"=\r\n=20\r\n"


@pytest.mark.parametrize("values", [EncodedValues(), EscapedValues(EncodedValues(), EncodedValues())])
def test_tables_forget_and_skip_long_values(values: EncodedValues) -> None:
    for number in range(MAX_ENTRIES + 5):
        values[str(number)]
    values["x" * 300]

    assert len(values) == 5
    assert "x" * 300 not in values


def test_values_without_an_escape_serve_both_parts() -> None:
    text = EncodedValues()
    escaped = EscapedValues(text, EncodedValues())

    assert (escaped["Ann"], escaped["<b>"]) == (b"Ann=\r\n", b"&lt;b&gt;=\r\n")
    assert text == {"Ann": b"Ann=\r\n"}
    assert text["<b>"] == b"<b>=\r\n"


def test_filtered_values_keep_texts_only() -> None:
    doubled = FilteredValues(lambda value: value * 2, lambda value: str(value).encode())

    values: list[Any] = [1, True, 1.0]

    assert [doubled[value] for value in values] == [b"2", b"2", b"2.0"]
    assert doubled["a"] == b"aa"
    assert dict(doubled) == {"a": b"aa"}
