"""Liquid under limits: what the reference's attacks and a careless marketer run into."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.content.language import language, parse, render_template
from campaigns.content.problems import RenderError
from campaigns.content.slots import Untracked


class Account:
    """What must never be reachable: templates are given plain data, but nobody should rely on that alone."""

    password = "hunter2"

    def delete(self) -> str:
        raise AssertionError("a template called a method")


def rendered(source: str, *, html: bool = True, strict: bool = False, **context: Any) -> str:
    return render_template(parse(source, html=html, strict=strict), context, Untracked([]))


@pytest.mark.parametrize(
    "source",
    [
        "{{ user.password }}",
        "{{ user.delete }}",
        "{{ user.delete() }}",
        "{{ user['password'] }}",
        "{{ user.__class__ }}",
    ],
)
def test_attributes_and_methods_of_objects_are_out_of_reach(source: str) -> None:
    if "()" in source:
        with pytest.raises(Exception, match="expected end of expression"):
            parse(source, html=True)
    else:
        assert rendered(source, user=Account()) == ""


def test_shared_data_cannot_be_changed() -> None:
    shared = {"list": [1, 2], "name": "x"}

    rendered("{{ d.pop }}{{ d.list.clear }}{% assign d = nil %}{{ d.list | concat: d.list }}", d=shared)

    assert shared == {"list": [1, 2], "name": "x"}


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in (1..3000) %}{% for b in (1..3000) %}x{% endfor %}{% endfor %}",
        "{% for a in (1..20000) %}x{% endfor %}",
        "{% for a in (1..100000000000000000000000000) %}x{% endfor %}",
        "{% assign s = 'xxxxxxxxxx' %}" + "{% assign s = s | append: s %}" * 20,
        "{% assign s = 'x' %}{% for i in (1..40) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}",
        "{% assign s = 'aaaaaaaaaa' %}" + "{% assign s = s | replace: '', 'aaaaaaaaaa' %}" * 9,
        "{% assign n = 9 %}{% for i in (1..100) %}{% assign n = n | times: n %}{% endfor %}",
        "{% assign l = (1..9999) %}{% assign s = l | join: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{{ s }}",
        "{{ big | split: '' | size }}",
        "{{ many | split: ',' | uniq | size }}",
        "{{ now | date: '" + "%Y" * 60 + "' }}{{ big | url_encode | url_encode | url_encode }}",
    ],
)
def test_what_grows_without_end_is_stopped(source: str) -> None:
    with pytest.raises(RenderError, match=r"limit|more than|variables"):
        rendered(source, big="/" * 90_000, many="a," * 5_000, now="2026-10-05")


@pytest.mark.parametrize("source", ["{% include '/etc/passwd' %}", "{% render 'x' %}", "{{ x | safe }}"])
def test_files_and_unescaped_output_do_not_exist(source: str) -> None:
    with pytest.raises(Exception, match=r"unexpected tag|unknown filter"):
        rendered(source, strict=True)


def test_every_value_is_escaped_in_html_and_left_alone_in_text() -> None:
    source = "{{ name }} {{ name | upcase }} {{ '<i>' }} {{ name | append: '<b>' }} {{ name | escape }}"

    assert rendered(source, name="<A&'\">") == (
        "&lt;A&amp;&#39;&#34;&gt; &lt;A&amp;&#39;&#34;&gt; <i> &lt;A&amp;&#39;&#34;&gt;<b> &lt;A&amp;&#39;&#34;&gt;"
    )
    assert rendered("{{ name }}", html=False, name="<A&'\">") == "<A&'\">"


def test_a_missing_field_is_empty_at_send_and_an_error_in_preview() -> None:
    assert rendered("Hi {{ contact.nick }}{{ contact.nick | default: 'you' }}", contact={}) == "Hi you"
    with pytest.raises(RenderError, match=r"contact\.nick is undefined"):
        rendered("Hi {{ contact.nick }}", strict=True, contact={})
    assert rendered("{{ nick | default: 'you' }}{% if nick %}!{% endif %}", strict=True) == "you"


@pytest.mark.parametrize(
    "source",
    [
        "{% if contact.points > 5 %}no{% endif %}",
        "{% if contact.points contains 5 %}no{% endif %}",
        "{{ contact.list | plus: contact.list | divided_by: 0 }}",
        "{{ contact.points | date: 7, 8, 9 }}",
        "{{ contact.list | sort }}",
        "{% for x in contact.list limit: contact.list offset: contact.points %}{% endfor %}",
        "{{ contact.points | money }}",
    ],
)
def test_data_that_does_not_fit_prints_nothing_at_send(source: str) -> None:
    assert rendered(source, contact={"points": "many", "list": [{}, 3, "x"]}) == ""


@pytest.mark.parametrize(
    "source", ["{% if contact.points > 5 %}no{% endif %}", "{{ 1 | divided_by: 0 }}", "{{ contact.points | money }}"]
)
def test_data_that_does_not_fit_is_an_error_in_preview(source: str) -> None:
    with pytest.raises(RenderError):
        rendered(source, strict=True, contact={"points": "many"})


def test_a_negative_limit_or_offset_counts_as_none() -> None:
    source = "{% for x in l limit: n offset: n %}{{ x }}{% endfor %}"

    assert rendered(source, l=[1, 2], n=-5) == "12"


def test_every_filter_of_the_dialect_survives_every_kind_of_value() -> None:
    values: list[Any] = ["x", "", None, True, 3, -2.5, [], ["b", "a"], [{"a": 1}], {}, {"a": "b"}, 10**20, "9" * 20]
    for name in sorted(language(html=True, strict=False).filters):
        for value in values:
            for argument in ("", ": 2", ": 'a'", ": nil", ": v"):
                rendered(f"{{{{ v | {name}{argument} }}}}", v=value, now="2026-01-01")
