"""Links, the hand-written text part, and what a link may lead to."""

from __future__ import annotations

import pytest

from campaigns.content.preview import render
from campaigns.content.source import LinkSlot
from campaigns.content.urls import unescaped, usable_url
from tests.campaigns.content.samples import html


@pytest.mark.parametrize(
    ("address", "url", "trackable"),
    [
        (" https://x.example/a b?q=ü ", "https://x.example/a%20b?q=%C3%BC", True),
        ("HTTP://x.example", "HTTP://x.example", True),
        ("https://x.example/%C3%A9?a=1&b='2'", "https://x.example/%C3%A9?a=1&b='2'", True),
        ("https://x.example/\r\nSet-Cookie: a=b", "https://x.example/Set-Cookie:%20a=b", True),
        ('https://x.example/"><script>', "https://x.example/%22%3E%3Cscript%3E", True),
        ("https://x.example/" + "a" * 2_000, "https://x.example/" + "a" * 2_000, False),
        ("mailto:a@b.example", "mailto:a@b.example", False),
        ("tel:123", "tel:123", False),
        ("#top", "#top", False),
        ("javascript:alert(1)", "#", False),
        (" java\nscript:alert(1)", "#", False),
        ("data:text/html,x", "#", False),
        ("//evil.example", "#", False),
        ("https://", "#", False),
        ("", "#", False),
    ],
)
def test_what_a_link_may_lead_to(address: str, url: str, trackable: bool) -> None:
    assert usable_url(address) == (url, trackable)


def test_entities_are_read_as_browsers_read_attributes() -> None:
    assert unescaped("?a=1&amp;b=2&copy=3&#38;c&#x26;&lt;") == "?a=1&b=2&copy=3&c&<"


def test_links_with_nowhere_to_go_are_warned_of() -> None:
    content = html('<a href="/sale">a</a><a href="">b</a><a href="#x">c</a><a name="d">d</a>')

    assert content.links == ()
    assert [warning.message for warning in content.warnings] == [
        "A link leads to “/sale”.",
        "A link leads to an empty address.",
    ]


def test_labels_say_what_a_reader_sees() -> None:
    content = html(
        '<a href="https://a.example/">  Read <b>on</b> &amp; on </a>'
        '<a href="https://b.example/"><img src="x" alt="The shop"></a>'
        '<a href="https://c.example/" title="C"></a>'
        '<a href="https://d.example/{{ x }}">{{ y }}</a>'
    )

    assert [link.label for link in content.links] == ["Read on & on", "The shop", "C", "{{ y }}"]


def test_a_link_made_of_fields_never_carries_a_script() -> None:
    content = html('<a href="{{ contact.url }}">x</a>')

    for url, href in [("javascript:x", "#"), ("https://x.example/?a=1&b", "https://x.example/?a=1&amp;b"), (None, "#")]:
        assert f'<a href="{href}">' in render(content, {"contact": {"url": url}}).html


def test_addresses_in_a_hand_written_text_share_the_links_of_the_page() -> None:
    content = html(
        '<a href="https://a.example/?x=1&amp;y=2">a</a><a href="{{ contact.url }}">b</a>',
        text="Go: https://a.example/?x=1&y=2. Or {{ contact.url }}, (https://new.example/{{ contact.id }})!",
    )

    assert content.text == (
        "Go: {% click 0 %}. Or {% clickto 1 %}{{ contact.url }}{% endclickto %}, "
        "({% clickto 2 %}https://new.example/{{ contact.id }}{% endclickto %})!"
    )
    assert content.links[2] == LinkSlot(2, "https://new.example/{{ contact.id }}", "", dynamic=True)


def test_the_made_text_leaves_out_what_nobody_sees() -> None:
    content = html(
        "<style>p{color:red}</style><h1>Big &amp; small</h1><p>1. one</p><p>- two</p><p>a&nbsp;b&zwnj;</p>"
        '<div style="display:none">hidden</div><!-- note --><p><s>was</s> <b>is</b></p><img src="x" alt="pic">'
        "<table><tr><td>A</td><td>B</td></tr><tr><td>C</td></tr></table>{% if x %}<p>maybe</p>{% endif %}<p>end</p>"
    )

    assert content.text == (
        "Big & small\n\n1. one\n\n- two\n\na b\n\nwas is\n\nA B\nC\n{% if x %}maybe\n\n{% endif %}end\n"
    )


def test_slot_tags_fill_with_targets_when_nothing_is_tracked() -> None:
    content = html('<a href="https://a.example/?x=1&amp;y=2">a</a>')

    page = render(content, {}).html

    assert '<a href="https://a.example/?x=1&amp;y=2">a</a></body>' in page
