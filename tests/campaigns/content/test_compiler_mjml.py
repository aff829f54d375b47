"""MJML in, content out."""

from __future__ import annotations

import re

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from campaigns.content.preview import render
from campaigns.content.problems import ContentError
from campaigns.content.source import Source
from tests.campaigns.content.samples import mjml_newsletter, reader


def mjml(inside: str) -> str:
    return f"<mjml>\n<mj-body>\n{inside}\n</mj-body>\n</mjml>"


def column(inside: str) -> str:
    return mjml(f"<mj-section><mj-column>{inside}</mj-column></mj-section>")


def test_the_newsletter_compiles_without_findings() -> None:
    content = compile_content(mjml_newsletter())

    assert find_problems(content) == []
    assert [link.url for link in content.links[:3]] == [
        "https://shop.example.com/?a=1&b=2",
        "https://shop.example.com/hero?x=1&y=2",
        "{{ product.url }}",
    ]
    assert content.links[3].url == (
        "https://shop.example.com/{{ first.handle }}?from=letter&to={{ contact.city | url_encode }}"
    )


def test_loops_stay_around_rows_and_sections() -> None:
    page = render(compile_content(mjml_newsletter()), reader()).html

    assert len(re.findall(r'<tr class="(?:odd|even)">', page)) == 8
    assert ">1. new</div>" in page
    assert ">2. &lt;old&gt;</div>" in page
    assert "Thank you." in page
    assert "Only 700 points" not in page


def test_no_font_is_fetched_from_elsewhere() -> None:
    assert "fonts.googleapis" not in compile_content(mjml_newsletter()).html


def test_a_preheader_takes_the_place_of_the_preview() -> None:
    assert "Old preview {{ contact.first_name }}" in compile_content(mjml_newsletter()).html

    written = compile_content(mjml_newsletter(preheader="New <one>")).html

    assert "Old preview" not in written
    assert "New &lt;one&gt;" in written


def test_stray_characters_do_not_break_the_compiler() -> None:
    content = compile_content(
        Source("mjml", column("""<mj-text title='"q"'>1 < 2 & 3 <br> &copy; {{ a | default: "<" }}</mj-text>"""), "s")
    )

    assert "1 &lt; 2 & 3 <br" in content.html
    assert '{{ a | default: "<" }}' in content.html


@pytest.mark.parametrize(
    ("source", "line", "message", "hint"),
    [
        (mjml("<mj-section>"), 3, "<mj-section> is never closed.", "MJML needs </mj-section>, or <mj-section … />."),
        (mjml("</mj-section>"), 3, "</mj-section> closes nothing.", ""),
        (column("\n<mj-txt>x</mj-txt>"), 4, "There is no MJML tag <mj-txt>.", "Did you mean mj-text?"),
        (column("{{ a\n\n}}\n<mj-text><p>x</mj-text>"), 6, "<p> is never closed.", "MJML needs </p>, or <p … />."),
        (mjml('<mj-include path="./x" />'), 3, "<mj-include> is not supported.", ""),
        ("<p>Hello</p>", None, "There is no <mjml>.", "MJML is <mjml><mj-body>…</mj-body></mjml>."),
        ("<mjml></mjml>", None, "There is no <mj-body>.", "MJML is <mjml><mj-body>…</mj-body></mjml>."),
        (
            column('<mj-button href="x"'),
            3,
            "<mj-button> is never closed.",
            "MJML needs </mj-button>, or <mj-button … />.",
        ),
    ],
)
def test_errors_are_said_in_words(source: str, line: int | None, message: str, hint: str) -> None:
    with pytest.raises(ContentError) as caught:
        compile_content(Source("mjml", source, "s"))

    (problem,) = caught.value.problems
    assert (problem.line, problem.message, problem.hint) == (line, message, hint)


def test_a_block_that_the_compiler_drops_is_an_error() -> None:
    source = mjml('\n<mj-section {% if a %}css-class="vip"{% endif %}><mj-column></mj-column></mj-section>')

    with pytest.raises(ContentError) as caught:
        compile_content(Source("mjml", source, "s"))

    (problem,) = caught.value.problems
    assert problem.line == 4
    assert problem.message == '“{% if a %}css-class="vip"{% endif %}” stands where the markup has no place for it.'
