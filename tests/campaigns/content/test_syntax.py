"""Errors in Liquid, in words and with their place."""

from __future__ import annotations

import pytest

from campaigns.content.fields import merge_fields, unknown_fields
from campaigns.content.problems import Problem
from campaigns.content.syntax import syntax_problems


@pytest.mark.parametrize(
    ("source", "line", "column", "message", "hint"),
    [
        ("a\n {% if x %}b", 2, 2, "“{% if %}” is never closed.", "Add “{% endif %}” where it ends."),
        ("\n\n{{ x", 3, 1, "“{{” is never closed by “}}”.", ""),
        ("{% endif %}", 1, 1, "“{% endif %}” closes nothing.", ""),
        ("{% if a %}\n{% endfor %}", 2, 1, "“{% endfor %}” comes before “{% if %}” of line 1 is closed.", ""),
        ("{% else %}", 1, 1, "“{% else %}” stands outside of the block it belongs to.", ""),
        ("{% break %}", 1, 1, "“{% break %}” stands outside of a loop.", ""),
        ("{% iff x %}", 1, 1, "There is no tag “iff”.", "Did you mean if?"),
        ("{% include 'x' %}", 1, 1, "There is no tag “include”.", "Templates cannot load other templates."),
        ("{% click 1 %}", 1, 1, "There is no tag “click”.", ""),
        ("x\n{{ a | upcsae }}", 2, 8, "There is no filter “upcsae”.", "Did you mean upcase?"),
        ("{% comment %} {% if %}", 1, 1, "“{% comment %}” is never closed by “{% endcomment %}”.", ""),
        ("{% raw %}{{", 1, 1, "“{% raw %}” is never closed by “{% endraw %}”.", ""),
    ],
)
def test_an_error_has_its_place_and_words(source: str, line: int, column: int, message: str, hint: str) -> None:
    assert syntax_problems(source, "text") == [Problem(message, hint, line, column, "text")]


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ “x” }}", "Use straight quotes, ' or \"."),
        ("{% if a && b %}{% endif %}", "Write “and” and “or”."),
        ("{% if a = b %}{% endif %}", "Compare with “==”."),
    ],
)
def test_common_slips_have_a_hint(source: str, hint: str) -> None:
    (problem,) = syntax_problems(source, "body")

    assert problem.hint == hint


def test_all_broken_pieces_are_reported_at_once() -> None:
    problems = syntax_problems("{{ a b }}\n{% assign x %}\n{% for x of y %}{% endfor %}\n{{ ok }}", "body")

    assert [problem.line for problem in problems] == [1, 2, 3]


@pytest.mark.parametrize("depth", [20, 21])
def test_blocks_nest_up_to_20_deep(depth: int) -> None:
    problems = syntax_problems("{% if a %}" * depth + "{% endif %}" * depth, "body")

    assert [problem.message for problem in problems] == (["Blocks are nested more than 20 deep."] if depth > 20 else [])


@pytest.mark.parametrize("source", ["{{" * 140_000, "{% raw %}" * 30_000, "{{ " + " " * 280_000, "{%" + "{%-" * 90_000])
def test_thousands_of_openings_that_never_close_are_refused_in_linear_time(source: str) -> None:
    assert len(syntax_problems(source, "body")) == 1


def test_fields_are_dotted_names_without_those_of_loops() -> None:
    source = (
        "{% for p in contact.products %}{{ p.name }}{{ contact['tags'].size }}{% endfor %}{{ brand.name | append: x }}"
    )

    assert merge_fields(source) == ("brand.name", "contact.products", "contact.tags", "x")


def test_an_unknown_field_is_an_error_with_a_suggestion() -> None:
    known = {"contact.first_name", "contact.orders"}
    source = "{{ brand.name }}\n{{ contact.frist_name }}{{ contact.orders[0].total }}{{ contact }}{{ unsubscribe_url }}"

    assert unknown_fields(source, "body", known) == [
        Problem("There is no field “contact.frist_name”.", "Did you mean contact.first_name?", 2, 4, "body")
    ]
