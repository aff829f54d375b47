"""What stops a launch, and what is only said."""

from __future__ import annotations

import dataclasses

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.problems import Severity
from tests.campaigns.content.samples import html

GOOD = '<p>Hello</p><a href="{{ unsubscribe_url }}">Unsubscribe</a><p>{{ brand.postal_address }}</p>'


def test_a_good_content_has_no_problems() -> None:
    assert find_problems(html(GOOD)) == []


@pytest.mark.parametrize(
    ("body", "subject", "message"),
    [
        ("<p>{{ brand.postal_address }}</p>", "s", "It has no unsubscribe link."),
        ('<a href="{{ unsubscribe_url }}">x</a>', "s", "It has no postal address."),
        (GOOD, " ", "The subject is empty."),
        ("<p> &nbsp; </p>", "s", "There is nothing in it."),
        ("", "s", "There is nothing in it."),
    ],
)
def test_what_blocks_a_launch(body: str, subject: str, message: str) -> None:
    problems = find_problems(html(body, subject=subject))

    assert [problem.message for problem in problems if problem.severity is Severity.ERROR] == [message]


def test_a_literal_address_counts_whatever_its_line_breaks() -> None:
    body = '<a href="{{ unsubscribe_url }}">x</a><td>Mill Lane 3,<br>8000&nbsp;Zürich</td>'

    assert find_problems(html(body), postal_address="Mill Lane 3\n8000 Zürich") == []
    assert len(find_problems(html(body), postal_address="Mill Lane 4\n8000 Zürich")) == 1


@pytest.mark.parametrize(
    ("body", "subject", "message"),
    [
        (GOOD, "BIG SALE TODAY", "The subject is all in capitals."),
        (GOOD, "{{ contact.x }} " + "long " * 31, "The subject has more than 150 characters."),
        (GOOD + '<img src="x"><!--[if mso]><img src="y"><![endif]-->', "s", "2 images have no alt text."),
        (GOOD + '<a href="http://x.example/">x</a>', "s", "A link to http://x.example/ is not encrypted."),
        (GOOD + "<p>" + "word " * 21_000 + "</p>", "s", "It has 105 KB of HTML."),
    ],
)
def test_what_is_only_a_warning(body: str, subject: str, message: str) -> None:
    (problem,) = find_problems(html(body, subject=subject))

    assert (problem.message, problem.severity) == (message, Severity.WARNING)


@pytest.mark.parametrize(
    "subject", ["SALE", "早上好早上好早上好早上好", "{{ contact.NAME_IN_CAPITALS }} says hi", "VIP only: Sale"]
)
def test_subjects_that_are_no_shouting(subject: str) -> None:
    assert find_problems(html(GOOD, subject=subject)) == []


def test_the_text_part_is_looked_at_too() -> None:
    assert [p.message for p in find_problems(html(GOOD, text="Just text"))] == [
        "The text part has no unsubscribe link."
    ]
    assert [p.message for p in find_problems(dataclasses.replace(html(GOOD), text=" "))] == ["There is no text part."]
