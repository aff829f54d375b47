"""Generated functions: their meaning where Liquid and Python differ, and what cannot get into the code."""

from __future__ import annotations

import quopri
from typing import Any

import pytest

from delivery.rendering.addresses import Addresses, Tracking
from delivery.rendering.encoded_values import EncodedValues
from delivery.rendering.functions import Fixed
from delivery.rendering.mixed import MixedPart
from delivery.rendering.program import Part, html_part
from tests.delivery.mime_samples import CONSTANTS, LINKS, SECRET, TOKEN

FIXED = Fixed(Addresses(Tracking("https://go.kiln.example", SECRET, 42), LINKS), CONSTANTS)


def part(source: str) -> Part:
    return html_part(source, FIXED, EncodedValues())


def rendered(made: Part, **contact: Any) -> str:
    pieces: list[bytes] = []
    made(pieces, {"contact": contact}, TOKEN.encode(), TOKEN)
    return quopri.decodestring(b"".join(pieces)).decode().replace("\r\n", "\n")


def test_values_that_are_equal_keys_print_differently() -> None:
    made = part("{{ contact.v }}|{{ contact.v | default: '-' }}|{{ contact.v | append: '' }}")

    printed = [rendered(made, v=value) for value in (1, True, 1.0, "1", 0, False, None, "")]

    assert printed == ["1|1|1", "true|true|True", "1.0|1.0|1.0", "1|1|1", "0|0|0", "false|-|False", "|-|", "|-|"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact[\"'] + (1/0) + ['\"] }}",
        "{{ contact['x\\n    raise SystemExit'] }}",
        "{% assign def = 1 %}{{ def }}{% assign C = 2 %}{% assign o = 3 %}{% for t in (1..1) %}{% endfor %}",
        "{% capture s %}{{ contact.a }}{% endcapture %}{% for c in contact.l %}{{ c }}{{ forloop.index }}{% endfor %}",
        'b\'"\\\\{{ contact.a | default: "\'\'\'\\\\" }}"""',
    ],
)
def test_a_template_gets_into_the_code_as_data_only(source: str) -> None:
    rendered(part(source), a="x", l=[1])


def test_names_of_python_mean_nothing_special() -> None:
    assigned = "{% assign def = 'd' %}{% assign C = 'c' %}{% assign U = 'u' %}"
    printed = "{% for o in contact.l %}{{ o }}{% endfor %}{{ def }}{{ C }}{{ U }}"

    assert rendered(part(assigned + printed), l=["<", 2]) == "&lt;2dcu"


def test_what_all_readers_share_is_folded() -> None:
    made = part(
        "{{ brand.name | upcase }}{% if brand.website %} {{ 'now' | date: '%Y' }}{% else %}{{ contact.x }}{% endif %}"
    )

    assert getattr(made, "__code__").co_names == ()  # noqa: B009 a Part need not be a function
    assert rendered(made) == "BÄRN &amp; CO 2026"


def test_a_constant_can_be_hidden_by_a_variable() -> None:
    loop = "{{ brand.name }}{% for brand in contact.l %}, {{ brand.name }}{% endfor %}"
    assigned = "{% assign campaign = contact %}, {{ campaign.name }}"

    assert rendered(part(loop + assigned), l=[{"name": "loop"}], name="own") == "Bärn &amp; Co, loop, own"


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        (
            "{% tablerow t in contact.l cols:2 %}{{ t }}{{ contact.n }}{% endtablerow %}",
            '<tr class="row1">\n<td class="col1">',
        ),
        (
            "{% for p in contact.l %}{{ forloop }}{{ p }}{% assign q = p %}{% endfor %}{{ q }}",
            "ForLoopaForLoopbForLoopcc",
        ),
        ("{% increment n %}{{ n }}{% assign z = 5 %}{% increment n %}{{ z }}{{ contact.n }}", "0115<b>"),
        ("{% capture c %}{% increment n %}{{ contact.n }}{% endcapture %}{{ c }}{{ c | size }}", "0<b>10"),
        ("{% for p in contact.l %}{% cycle 'x', 'y' %}{% increment n %}{% endfor %}", "x0y1x2"),
        (
            "<a href='{% click 0 %}'>{% increment n %}</a>{{ unsubscribe_url }}",
            f"<a href='https://go.kiln.example/c/{TOKEN}/0'>0",
        ),
    ],
)
def test_what_cannot_be_compiled_is_rendered_between_what_can(source: str, printed: str) -> None:
    made = part(source)

    assert isinstance(made, MixedPart)
    assert rendered(made, l=["a", "b", "c"], n="<b>").replace("&lt;b&gt;", "<b>").startswith(printed)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in contact.l %}{% for b in contact.l %}{{ forloop.parentloop.index }}{% endfor %}{% endfor %}",
        "{{ contact.n | upcase | truncate: 9 }}{{ contact.n | default: contact.m | append: contact.o }}",
        "{% capture c %}{{ contact.n | default: 'x' }}{% endcapture %}{% assign d = c | size | plus: 1 %}{{ d }}",
        "{% case contact.n %}{% when 'a', 'b' %}1{% when contact.m, 3 %}2{% else %}3{% endcase %}",
        "{% for a in contact.l limit: 1 %}{% endfor %}{% for a in contact.l offset: continue %}{{ a }}{% endfor %}",
        "{% for a in contact.l %}{% ifchanged %}{{ a }}{% endifchanged %}{% cycle 'x', 'y' %}{% endfor %}",
        "{% liquid echo contact.n %}{% unless contact.n %}u{% endunless %}",
    ],
)
def test_filters_captures_nested_loops_and_the_like_are_compiled(source: str) -> None:
    assert not isinstance(part(source), MixedPart)


def test_code_nested_deeper_than_python_allows_still_renders() -> None:
    depth = 19
    source = "{% for a in contact.l %}" * depth + "{{ a }}" + "{% endfor %}" * depth

    assert rendered(part(source), l=["x"]) == "x"


def test_braces_in_a_default_are_only_text() -> None:
    assert (
        rendered(part("{{ contact.n | default: '{0}{x}' }}{{ contact.n | default: contact.m }}"), m="{}") == "{0}{x}{}"
    )


def test_finished_html_and_plain_text_of_the_same_letters_are_told_apart() -> None:
    source = (
        "{{ contact.n }} {% capture c %}{{ contact.n }}{% endcapture %}{{ c }}"
        "{% assign l = c | split: ',' %}{% for x in l %} {{ x }}{% endfor %} {{ contact.escaped }}"
    )

    printed = rendered(part(source), n="<", escaped="&lt;")

    assert printed == "&lt; &lt; &lt; &amp;lt;"
    assert rendered(part("{{ contact.escaped }} " + source), n="<", escaped="&lt;") == f"&amp;lt; {printed}"
