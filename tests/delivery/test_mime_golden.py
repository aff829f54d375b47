"""The fast path against the plain one: the same headers, the same parts, for generated and real templates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.content.compiler import compile_content
from campaigns.content.problems import RenderError
from campaigns.content.source import Source
from delivery.benchmarks.newsletter import TEMPLATES, contact_fields, newsletter_source
from delivery.mime import MessageBuilder, Recipient
from tests.campaigns.content.samples import mjml_newsletter, newsletter, reader
from tests.delivery.mime_samples import (
    DATE,
    MAIL_TOKEN,
    TOKEN,
    builder,
    check_wire,
    content,
    headers_of,
    parts_of,
    recipient,
)
from tests.delivery.rendering.generated import FIELDS, TEXTS, Maker

ADDRESSES = ("a@b.example", "ü@b.example", "x.y+z@bücher.example", "very.long." * 6 + "@b.example")
SUBJECTS = (
    "Hi {{ contact.name }}",
    "{{ contact.city | upcase | truncate: 20 }} é",
    "x " * 80,
    "{% if contact.vip %}VIP{% endif %}{{ contact.blob }}{% increment n %}",
)


def check_same(made: MessageBuilder, to: Recipient) -> None:
    try:
        plain = made.build_plain(to, date_header=DATE).as_bytes()
    except RenderError:
        with pytest.raises(RenderError):
            made.build(to, date_header=DATE.encode())
        with pytest.raises(RenderError):
            made.build_parts(to)
        return
    fast = made.build(to, date_header=DATE.encode())
    check_wire(fast)
    assert headers_of(fast) == headers_of(plain)
    assert parts_of(fast) == parts_of(plain)
    copy = made.build_parts(to)
    assert {"text/plain": copy.text.rstrip("\n"), "text/html": copy.html.rstrip("\n")} == parts_of(plain)
    assert copy.headers.items() <= dict(headers_of(plain)).items()


@pytest.mark.parametrize("block", range(16))
def test_generated_templates_and_contacts(block: int) -> None:
    for seed in range(block * 15, block * 15 + 15):
        maker = Maker(seed)
        compiled = content(maker.template(12, html=True), maker.template(8, html=False), maker.random.choice(SUBJECTS))
        tracked = maker.random.random() < 0.8
        made = builder(compiled, from_name=maker.random.choice(TEXTS[2:6]), track_clicks=tracked, track_opens=tracked)
        for _ in range(2):
            address, name = maker.random.choice(ADDRESSES), maker.random.choice(TEXTS)
            check_same(made, Recipient(address, name, TOKEN, MAIL_TOKEN, {"contact": maker.contact()}))


values = st.recursive(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=120),
        st.integers(),
        st.booleans(),
        st.none(),
        st.floats(width=32),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)),
    max_leaves=6,
)
EVERYTHING = Maker(4711)
TEMPLATE = builder(
    content(EVERYTHING.template(16, html=True), EVERYTHING.template(10, html=False), "{{ contact.name }}")
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), values), st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_values(contact: dict[str, object], name: str) -> None:
    check_same(TEMPLATE, Recipient("a@b.example", name, TOKEN, MAIL_TOKEN, {"contact": contact}))


@pytest.mark.parametrize(
    "source",
    [
        newsletter(),
        mjml_newsletter("Read {{ contact.first_name }}"),
        *(newsletter_source(40, 20, template) for template in TEMPLATES),
    ],
)
def test_real_newsletters(source: Source) -> None:
    made = builder(compile_content(source, honeypot=True))

    for number in range(12):
        fields = contact_fields(number) | {"products": reader()["contact"]["products"]} if number % 3 else {}
        check_same(made, recipient(f"r{number}@example.org", TEXTS[number], **fields, first_name=TEXTS[-number]))
