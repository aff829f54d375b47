"""Reading pages as a person or a screen reader would: headings, labels, tables, links."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from lxml import html


def page_of(response: Any) -> html.HtmlElement:
    """The page of a successful answer."""
    assert isinstance(response, HttpResponse)
    assert response.status_code == 200, response.status_code
    return html.fromstring(response.content.decode())


def texts(page: html.HtmlElement, selector: str) -> list[str]:
    """The texts of all elements of a CSS class or name, in one line each."""
    return [" ".join(element.text_content().split()) for element in page.cssselect(selector)]


def unlabelled(page: html.HtmlElement) -> list[str]:
    """The names of form fields that have neither a label nor an aria-label."""
    fields = page.cssselect("input:not([type=hidden]), select, textarea")
    return [field.get("name", "") for field in fields if not _is_labelled(page, field)]


def _is_labelled(page: html.HtmlElement, field: html.HtmlElement) -> bool:
    if field.get("aria-label") or field.get("aria-hidden") == "true":
        return True
    if any(parent.tag == "label" for parent in field.iterancestors()):
        return True
    return bool(field.get("id") and page.xpath("//label[@for=$id]", id=field.get("id")))


def faults(page: html.HtmlElement) -> list[str]:
    """What breaks the rules that every page keeps."""
    found = [f"unlabelled {name}" for name in unlabelled(page)]
    if len(page.cssselect("h1")) != 1:
        found.append(f"{len(page.cssselect('h1'))} h1")
    if len(page.cssselect("main")) != 1:
        found.append("no main landmark")
    found += [f"table without caption: {texts(table, 'th')}" for table in page.cssselect("table:not(:has(caption))")]
    found += ["inline script" for script in page.cssselect("script:not([src]):not([type='application/json'])")]
    found += ["frame that may run scripts" for frame in page.cssselect("iframe") if frame.get("sandbox") != ""]
    ids = [element.get("id") for element in page.cssselect("[id]")]
    found += [f"id {one} twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    return found
