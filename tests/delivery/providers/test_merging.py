"""Bodies as one text with fields, and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.providers.merging import Syntax, merge, shape

BRACES = Syntax("{{", "}}", ("{{", "}}"))
PERCENT = Syntax("%recipient.", "%", ("%recipient",))


def substituted(template: str, values: dict[str, str], pattern: str = r"\{\{(\w+)\}\}") -> str:
    return re.sub(pattern, lambda match: values[match.group(1)], template)


@given(st.lists(st.text(alphabet="ab <>/{}&=\n%", max_size=40), min_size=1, max_size=6))
def test_every_body_comes_back_exactly(texts: list[str]) -> None:
    merged = merge(texts, "h", BRACES)
    assert [substituted(merged.template, values) for values in merged.values] == texts


@given(st.lists(st.text(alphabet="ab %<>.", max_size=40), min_size=1, max_size=6))
def test_every_body_comes_back_exactly_with_percent_signs(texts: list[str]) -> None:
    merged = merge(texts, "h", PERCENT)
    assert [substituted(merged.template, v, r"%recipient\.(\w+)%") for v in merged.values] == texts


def test_a_token_in_many_links_is_one_short_field() -> None:
    texts = [
        f'<a href="https://t.example/c/{t}/1">A</a> <a href="https://t.example/c/{t}/2">B</a>' for t in ("x1", "y2")
    ]
    merged = merge(texts, "h", BRACES)
    assert (
        merged.template == '<a href="https://t.example/c/{{h0}}/1">A</a> <a href="https://t.example/c/{{h0}}/2">B</a>'
    )
    assert merged.values == [{"h0": "x1"}, {"h0": "y2"}]


def test_equal_bodies_have_no_field() -> None:
    merged = merge(["<p>Hi</p>"] * 3, "h", BRACES)
    assert merged.template == "<p>Hi</p>"
    assert merged.values == [{}, {}, {}]


@pytest.mark.parametrize("texts", [["{{x}} a", "{{x}} b"], ["<p>a</p>", "a"], ["{a", "{b"]])
def test_what_cannot_share_a_text_is_one_field(texts: list[str]) -> None:
    merged = merge(texts, "h", BRACES)
    assert merged.template == "{{h0}}"
    assert merged.values == [{"h0": texts[0]}, {"h0": texts[1]}]


def test_bodies_line_up_by_their_numbers_of_tags_and_lines() -> None:
    assert shape("<p>Dear Alice</p>") == shape("<p>Dear Bob</p>") == (2, 0)
    assert shape("<p>Dear Bob</p>\n<p>x</p>") == (4, 1)
