"""What a message can start from."""

from __future__ import annotations

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from campaigns.content.problems import Severity
from campaigns.content.source import Source
from campaigns.merging import known_fields
from campaigns.starters import BLANK, Design, Starter, find_design, find_starter, is_untouched, starters
from tests.campaigns.factories import make_template
from tests.contacts.factories import make_brand


def test_the_blank_design_has_all_that_a_launch_needs() -> None:
    content = compile_content(Source("mjml", BLANK, "A subject"), known_fields=frozenset({"contact.first_name"}))

    assert find_problems(content) == []


def test_the_shipped_designs_have_keys_and_names() -> None:
    assert [(starter.key, starter.name, starter.markup) for starter in starters()] == [
        ("newsletter", "Newsletter", "mjml"),
        ("plain", "Plain letter", "html"),
        ("sale", "Sale with products", "mjml"),
    ]
    assert find_starter("no-such-design") is None


@pytest.mark.django_db
@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.key)
def test_a_shipped_design_can_be_sent_as_it_is(starter: Starter) -> None:
    design = find_design(f"starter:{starter.key}", make_brand())
    source = Source("html" if design.markup == "html" else "mjml", design.body, "A subject")

    content = compile_content(source, known_fields=known_fields())

    assert [problem for problem in find_problems(content) if problem.severity is Severity.ERROR] == []


def test_a_body_in_which_one_word_was_changed_is_no_sample() -> None:
    assert is_untouched(BLANK)
    assert all(is_untouched(starter.body) for starter in starters())
    assert not is_untouched(BLANK.replace("Hello", "Hi"))
    assert not is_untouched("")


@pytest.mark.django_db
def test_a_template_of_the_brand_is_a_design_to_start_from() -> None:
    template = make_template(text="Hello")

    assert find_design(f"template:{template.pk}", template.brand) == Design("html", template.body, "Hello")


@pytest.mark.django_db
def test_a_template_of_another_brand_is_not() -> None:
    template = make_template()

    assert find_design(f"template:{template.pk}", make_brand("Sister")) == Design("mjml", BLANK)


@pytest.mark.django_db
@pytest.mark.parametrize("start", ["", "blank", "template:x", "template:0", "starter:../secrets", "nonsense"])
def test_anything_else_is_the_blank_design(start: str) -> None:
    assert find_design(start, make_brand()) == Design("mjml", BLANK)
