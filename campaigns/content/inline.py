"""Inlines the CSS of hand-written HTML with premailer, on protected HTML, and leaves the rest of the page alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cssutils
from lxml import etree
from lxml.cssselect import CSSSelector
from premailer import Premailer

from campaigns.content import css
from campaigns.content.markup import Piece, pieces
from campaigns.content.problems import Problem
from campaigns.content.protection import Protected, Tokens

_OWN_STYLE = "data-own-style"
# premailer also writes width, height and more as attributes; CSS such as `height:auto` makes no valid attribute.
_NO_ATTRIBUTES = ["width", "height", "align", "valign", "bgcolor"]


@dataclass(frozen=True, slots=True)
class Inlined:
    """A whole HTML document with style attributes, and what could not be inlined."""

    html: str
    warnings: tuple[Problem, ...]


def inline_css(protected: Protected) -> Inlined:
    """The document of protected HTML: doctype and what stands around <html> as written, plain CSS rules inlined."""
    prolog, page, epilog = _cut(protected.markup)
    root = etree.fromstring(page, etree.HTMLParser(huge_tree=True))
    warnings = _structure_warnings(root, protected)
    styles = _take_styles(root, protected.tokens)
    _keep_own_styles(root, protected.tokens)
    _run_premailer(root, styles)
    _restore_own_styles(root)
    _declare_utf8(root)
    html = etree.tostring(root, method="html", encoding="unicode")
    return Inlined(prolog + html + epilog, warnings)


def _cut(markup: str) -> tuple[str, str, str]:
    found = list(pieces(markup))
    opening = next((piece for piece in found if piece.kind == "start" and piece.name == "html"), None)
    closing = next((piece for piece in reversed(found) if piece.kind == "end" and piece.name == "html"), None)
    doctype = next((piece for piece in found if _is_doctype(markup, piece)), None)
    start = opening.start if opening else (doctype.end if doctype else 0)
    end = closing.end if closing and closing.start > start else len(markup)
    prolog = markup[:start] if doctype else f"<!DOCTYPE html>\n{markup[:start]}"
    page = markup[start:end] if opening else _as_page(markup[start:end], found)
    return prolog, page, markup[end:]


def _as_page(fragment: str, found: list[Piece]) -> str:
    # Without a <body> the parser would begin it at the first element, behind a block that comes before it.
    has_parts = any(piece.kind == "start" and piece.name in {"head", "body"} for piece in found)
    return f"<html>{fragment}</html>" if has_parts else f"<html><head></head><body>{fragment}</body></html>"


def _is_doctype(markup: str, piece: Piece) -> bool:
    return piece.kind == "declaration" and markup[piece.start : piece.start + 9].lower() == "<!doctype"


@dataclass(frozen=True, slots=True)
class _Styles:
    inlinable: str
    kept: str


def _take_styles(root: etree._Element, tokens: Tokens) -> _Styles:
    plain: list[str] = []
    kept: list[str] = []
    emptied: list[etree._Element] = []
    for element in root.iter("style"):
        sheet = element.text or ""
        if not _is_inlinable(element, sheet, tokens):
            element.set("data-premailer", "ignore")
            continue
        for rule in css.rules(sheet):
            if rule.is_plain and _matches(root, rule.head):
                plain.append(str(rule))
            else:
                kept.append(css.kept(rule))
        emptied.append(element)
    for element in emptied:
        _remove(element)
    return _Styles("\n".join(plain), "\n".join(kept))


def _is_inlinable(element: etree._Element, sheet: str, tokens: Tokens) -> bool:
    """A sheet for one medium, or with `{% %}` around its rules, stays as it is."""
    media = element.get("media", "all").strip().lower()
    has_blocks = any(tokens.table[word].control for word in tokens.words(sheet))
    return media in {"", "all", "screen"} and not has_blocks and element.get("data-premailer") != "ignore"


def _matches(root: etree._Element, selector: str) -> bool:
    try:
        return bool(CSSSelector(selector)(root))
    except (SyntaxError, etree.XPathError):
        return False


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    previous = element.getprevious()
    if element.tail and previous is not None:
        previous.tail = (previous.tail or "") + element.tail
    elif element.tail and parent is not None:
        parent.text = (parent.text or "") + element.tail
    if parent is not None:
        parent.remove(element)


def _keep_own_styles(root: etree._Element, tokens: Tokens) -> None:
    """Style attributes with Liquid in them step aside: premailer would parse and reorder their declarations."""
    for element in root.iter(etree.Element):
        style = element.get("style")
        if style and tokens.prefix in style:
            element.set(_OWN_STYLE, style)
            del element.attrib["style"]


def _restore_own_styles(root: etree._Element) -> None:
    for element in root.iter(etree.Element):
        own = element.get(_OWN_STYLE)
        if own:
            del element.attrib[_OWN_STYLE]
            inlined = element.get("style", "").rstrip("; ")
            element.set("style", f"{inlined};{own}" if inlined else own)


def _run_premailer(root: etree._Element, styles: _Styles) -> None:
    head = root.find("head")
    if head is None:
        head = etree.Element("head")
        root.insert(0, head)
    if styles.kept:
        kept = etree.SubElement(head, "style", {"data-premailer": "ignore"})
        kept.text = f"\n{styles.kept}\n"
    # "#ffffff" stays as it is: old clients read six digits only.
    cssutils.ser.prefs.minimizeColorHash = False
    Premailer(
        css_text=styles.inlinable or None,
        allow_network=False,
        disable_validation=True,
        disable_basic_attributes=_NO_ATTRIBUTES,
        align_floating_images=False,
        cache_css_parsing=False,
        cssutils_logging_level=logging.CRITICAL,
    ).transform(root)


def _declare_utf8(root: etree._Element) -> None:
    for meta in root.iter("meta"):
        if meta.get("charset"):
            meta.set("charset", "utf-8")
        elif meta.get("http-equiv", "").lower() == "content-type":
            meta.set("content", "text/html; charset=utf-8")


def _structure_warnings(root: etree._Element, protected: Protected) -> tuple[Problem, ...]:
    """Warnings for blocks that open in one element and close in another: each branch then leaves tags unclosed."""
    tokens = protected.tokens
    stack: list[tuple[str, etree._Element | None]] = []
    problems = []
    for comment in root.iter(etree.Comment):
        word = (comment.text or "").strip()
        name = _tag_name(tokens.table[word].html) if word in tokens.table else ""
        if name in {"if", "unless", "for", "case", "tablerow"}:
            stack.append((word, comment.getparent()))
        elif name.startswith("end") and stack and name != "endcapture":
            opened, parent = stack.pop()
            if parent is not comment.getparent():
                problems.append(_crossing(protected, opened))
    return tuple(problems)


def _tag_name(liquid: str) -> str:
    words = liquid[2:-2].strip("- \n\t").split(None, 1)
    return words[0] if words else ""


def _crossing(protected: Protected, word: str) -> Problem:
    line, column = protected.line_of(protected.markup.find(word))
    message = f"“{protected.tokens.table[word].html}” opens inside one element and closes inside another."
    return Problem(message, "Put it around whole elements.", line, column)
