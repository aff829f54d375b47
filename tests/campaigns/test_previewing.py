"""One reader's copy of a source that is still being written."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content.source import Source
from campaigns.merging import field_choices, known_fields
from campaigns.previewing import Reader, find_reader, find_readers, in_dark_mode, make_preview
from contacts.models import ContactField
from tests.campaigns.factories import BODY, NOW
from tests.contacts.factories import make_brand, make_contact

pytestmark = pytest.mark.django_db
SUBJECT = "Hello {{ contact.first_name | default: 'you' }}"


def preview(body: str = BODY, subject: str = SUBJECT, **reader: Any) -> tuple[str | None, str | None, list[str]]:
    made = make_preview(Source("html", body, subject), Reader(make_brand(), **reader), now=NOW)
    problems = [problem.message for problem in made.problems]
    return (made.copy.html, made.copy.subject, problems) if made.copy else (None, None, problems)


def test_without_a_contact_somebody_made_up_reads_it() -> None:
    html, subject, problems = preview()

    assert subject == "Hello Robin"
    assert html is not None
    assert "Hello Robin" in html
    assert problems == []


def test_a_chosen_contact_reads_his_own_copy() -> None:
    alice = make_contact(first_name="Alice")

    assert preview(contact=alice)[1] == "Hello Alice"


def test_an_empty_field_takes_its_default() -> None:
    assert preview(contact=make_contact())[1] == "Hello you"


def test_a_custom_field_that_the_contact_lacks_is_empty_and_no_error() -> None:
    ContactField.objects.create(key="points", label="Points", kind="number")

    _, subject, problems = preview(subject="You have {{ contact.points }} points", contact=make_contact())

    assert (subject, problems) == ("You have points", [])


def test_every_kind_of_custom_field_has_a_sample() -> None:
    for kind in ContactField.Kind.values:
        ContactField.objects.create(key=f"a_{kind}", label=kind, kind=kind)
    body = BODY.replace("Hello", "{{ contact.a_text }} {{ contact.a_number }} {{ contact.a_list | join: '+' }}")

    html, _, problems = preview(body)

    assert html is not None
    assert "text 3 first+second" in html
    assert problems == []


def test_an_unknown_field_is_an_error_with_its_line_and_there_is_no_copy() -> None:
    source = Source("html", BODY.replace("contact.first_name", "contact.frist_name"), "Subject of it")

    made = make_preview(source, Reader(make_brand()), now=NOW)

    assert made.copy is None
    (problem,) = made.problems
    assert (problem.part, problem.line, problem.hint) == ("body", 1, "Did you mean contact.first_name?")


def test_what_is_missing_for_a_launch_is_said_beside_the_copy() -> None:
    html, _, problems = preview("<html><body><p>Hello</p></body></html>")

    assert html is not None
    assert problems[:2] == ["It has no unsubscribe link.", "It has no postal address."]


def test_dark_mode_answers_the_media_query_both_ways() -> None:
    page = (
        "<html><head><style>@media (prefers-color-scheme: dark) {a{}} "
        "@media (prefers-color-scheme:light) {b{}}</style></head></html>"
    )

    dark = in_dark_mode(page)

    assert "@media all {a{}} @media not all {b{}}" in dark
    assert "<head><style>:root{color-scheme:dark}</style>" in dark


def test_a_reader_is_found_by_the_beginning_of_address_or_name() -> None:
    alice = make_contact("alice@example.com", first_name="Alice", last_name="Berg")
    bob = make_contact("bob@example.com", first_name="Bob", last_name="Alder")

    assert find_reader("alice@example.com") == alice
    assert find_readers("al", limit=8) == [alice, bob]
    assert find_reader("  ") is None
    assert find_reader("zoe") is None


def test_the_picker_offers_custom_fields_and_all_it_offers_is_known() -> None:
    ContactField.objects.create(key="points", label="Points", kind="number")

    codes = [field.code for field in field_choices()]

    assert "{{ contact.points }}" in codes
    assert "contact.points" in known_fields()
    _, _, problems = preview(BODY.replace("Hello", " ".join(codes)))
    assert problems == []
