"""HTML in, content out: the whole newsletter, and what the tools on the way would break."""

from __future__ import annotations

import re

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from campaigns.content.preview import render
from campaigns.content.problems import ContentError
from campaigns.content.regions import liquid_regions
from campaigns.content.source import Content, Source
from tests.campaigns.content.samples import html, newsletter, reader


@pytest.fixture(scope="module")
def content() -> Content:
    return compile_content(newsletter())


def liquid_of(text: str) -> list[str]:
    pieces = [text[region.start : region.end] for region in liquid_regions(text)]
    return [piece for piece in pieces if not re.match(r"\{% (end)?(click|clickto|openpixel)\b", piece)]


def test_the_newsletter_is_ready_to_be_sent(content: Content) -> None:
    assert find_problems(content) == []
    assert 40_000 < len(content.html) < 60_000


def test_every_piece_of_liquid_is_where_it_was(content: Content) -> None:
    source = newsletter()
    expected = liquid_of(re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", source.body, flags=re.DOTALL))
    # The colour in the style sheet moved to the cell it styles; dynamic addresses are in clickto blocks.
    colour = next(piece for piece in expected if "slice" in piece)
    written = liquid_of(content.html.replace("{{ contact.first_name }}&#847;", "&#847;", 1))

    assert sorted(written) == sorted(expected)
    assert [piece for piece in written if piece != colour] != []
    assert f"color:{colour}" in content.html


def test_table_rows_stay_inside_their_loop(content: Content) -> None:
    loop = content.html[content.html.index("{% for product") : content.html.index("{% endfor %}")]

    assert loop.count("<tr") == loop.count("</tr>") == 2
    assert '<tr {% if forloop.last %} class="last"{% endif %}>' in loop
    assert "background-color:{% cycle '#ffffff', '#faf6ef' %};" in loop


def test_links_are_slots_in_order_of_the_page(content: Content) -> None:
    assert [link.index for link in content.links] == list(range(20))
    assert content.links[0].url == "https://shop.example.com/?a=1&b=2&c=%C3%A9"
    assert content.links[1].url == "https://shop.example.com/new?from=letter&as=vml"
    assert content.links[5].url.startswith('https://shop.example.com/{{ contact.locale | default: "en" }}/journal/3?')
    assert content.links[5].dynamic
    assert content.links[6].label == "Read on"
    assert [link.label for link in content.links[-2:]] == ["come by", "Find us"]
    assert sorted(map(int, re.findall(r"\{% click(?:to)? (\d+) %\}", content.html))) == list(range(20))


def test_addresses_that_are_not_tracked_stay(content: Content) -> None:
    assert 'href="mailto:hello@example.com?subject=Hello%20there"' in content.html
    assert 'href="tel:+41441234567"' in content.html
    assert 'href="{{ unsubscribe_url }}"' in content.html
    assert 'href="{{ preferences_url }}"' in content.html
    assert 'src="https://img.example.com/n/1.jpg?w=340&amp;h=230"' in content.html


def test_conditional_comments_and_the_doctype_survive(content: Content) -> None:
    source = newsletter().body

    assert content.html.startswith(source[: source.index("<html")])
    for kept in ("<!--[if mso]>", "<!--[if !mso]><!-->", "<!--<![endif]-->", "<![if !mso]>", "<!--[if gte mso 9]>"):
        assert content.html.count(kept) == source.count(kept)
    assert content.html.count("<![endif]") == source.count("<![endif]")


def test_styles_are_inlined_and_conditional_ones_override_them(content: Content) -> None:
    button = re.search(r'<a class="button"[^>]*>', content.html)

    assert button
    assert "background-color:#8a3b12" in button[0]
    assert "important" not in button[0]
    assert ".hide-small { display: none !important }" in content.html
    assert "@media (prefers-color-scheme: dark)" in content.html
    assert ".story a:hover { color: #c2531a !important }" in content.html
    assert "#outlook a { padding: 0; }" in content.html
    assert "{% if contact.vip %}.lead { background-color: #fbf3e2; }{% endif %}</style>" in content.html


def test_preheader_and_pixel_have_their_places(content: Content) -> None:
    assert re.search(
        r'<body[^>]*><div style="display:none[^"]*">Six things for \{\{ contact.first_name \}\}', content.html
    )
    assert "{% openpixel %}</body>" in content.html
    assert "charset=utf-8" in content.html
    assert "iso-8859-1" not in content.html


def test_the_text_part_reads_like_the_page(content: Content) -> None:
    text = render(content, reader()).text

    assert text.startswith("Kiln & Co\n")
    assert "your 700 points are worth a bowl — come & choose." in text
    assert "Come in (https://shop.example.com/?a=1&b=2&c=%C3%A9), or write to hello@example.com" in text
    assert "Cup & no. 1 (https://shop.example.com/p/1?a=1?utm_source=letter&pos=2) €20.00 €10.50\n" in text
    assert "Unsubscribe (https://go.example.com/u/T)" in text
    assert "Mill Lane 3\n8000 Zürich" in text
    assert "\n\n\n" not in text
    assert not re.search(r"\{[{%]|lqz|<td|&amp;|\\", text)


def test_one_source_always_gives_one_content(content: Content) -> None:
    assert compile_content(newsletter()) == content
    assert Content.from_dict(content.as_dict()) == content


def test_links_can_be_numbered_after_those_of_another_variant() -> None:
    content = compile_content(newsletter(), first_link=20)

    assert [link.index for link in content.links] == list(range(20, 40))
    assert "{% click 20 %}" in content.html


def test_a_fragment_becomes_a_whole_page() -> None:
    content = html("{% if a %}<p>Hi</p>{% endif %} &amp; bye")

    body = "<body>{% if a %}<p>Hi</p>{% endif %} &amp; bye{% openpixel %}</body>"
    assert content.html == f"<!DOCTYPE html>\n<html><head></head>{body}</html>"


def test_liquid_that_looks_like_markup_comes_back_unharmed() -> None:
    opening = """<p title='{{ a | default: "<b>" }}' {{ b }}>"""

    written = html(opening + "{% if a < b %}{{ '</p>' }}{% endif %}{% raw %}{{ & }}{% endraw %}</p>").html

    for piece in (
        '{{ a | default: "<b>" }}',
        "{{ b }}",
        "{% if a < b %}{{ '</p>' }}{% endif %}",
        "{% raw %}{{ & }}{% endraw %}",
    ):
        assert piece in written


def test_a_block_across_elements_is_warned_of() -> None:
    content = html('\n{% if a %}<div class="x">{% else %}<div>{% endif %}</div>')

    assert [(warning.line, warning.message) for warning in content.warnings] == [
        (2, "“{% if a %}” opens inside one element and closes inside another.")
    ]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subject", "x" * 2_001, "It has 2,001 characters; the limit is 2,000."),
        ("body", "x" * 300_001, "It has 300,001 characters; the limit is 300,000."),
        ("text", "{{ x", "“{{” is never closed by “}}”."),
        ("preheader", "{% if %}", "“{% if %}” cannot be read: a value is missing."),
    ],
)
def test_an_error_names_its_part(field: str, value: str, message: str) -> None:
    fields = {"body": "<p>x</p>", "subject": "s", field: value}

    with pytest.raises(ContentError) as caught:
        compile_content(Source("html", **fields))

    problem = caught.value.problems[0]
    assert (problem.part, problem.message) == (field, message)


def test_errors_of_all_parts_come_together() -> None:
    source = Source("html", "{{ contact.nmae }}", "{{ a b }}", text="{% endif %}")

    with pytest.raises(ContentError) as caught:
        compile_content(source, frozenset({"contact.name"}))

    assert {problem.part for problem in caught.value.problems} == {"body", "subject", "text"}
    assert "Did you mean contact.name?" in str(caught.value)
