"""What a message can start from."""

from __future__ import annotations

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from campaigns.content.source import Source
from campaigns.starters import BLANK, Design, find_design, find_starter, starters
from tests.campaigns.factories import make_template
from tests.contacts.factories import make_brand


def test_the_blank_design_has_all_that_a_launch_needs() -> None:
    content = compile_content(Source("mjml", BLANK, "A subject"), known_fields=frozenset({"contact.first_name"}))

    assert find_problems(content) == []


def test_a_shipped_design_is_found_by_its_key() -> None:
    for starter in starters():
        assert find_starter(starter.key) == starter
    assert find_starter("no-such-design") is None


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
