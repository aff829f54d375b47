"""The text part, made from a protected page by html2text: what a reader sees without HTML, links included."""

from __future__ import annotations

import re

from html2text import HTML2Text
from lxml import etree

from campaigns.content.protection import Tokens

_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_UNREAD = ("head", "style", "script", "title", "noscript", "object", "svg")
# html2text escapes what Markdown would read as a list; a mail client shows the backslash.
_ESCAPED_MARK = re.compile(r"^(\s*(?:\d+)?)\\([-+.])", re.MULTILINE)
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")
_MANY_BLANK_LINES = re.compile(r"\n{3,}")


def page_to_text(page: str, tokens: Tokens) -> str:
    """The text of a page, tokens still in it; images are left out, but the words of linked ones stay."""
    root = etree.fromstring(page, etree.HTMLParser(huge_tree=True))
    if root is None:
        return ""
    etree.strip_elements(root, *_UNREAD, with_tail=False)
    _drop_hidden(root)
    _show_blocks(root, tokens)
    _without_marks(root)
    _show_links(root, tokens)
    _part_cells(root)
    return _tidied(_converted(etree.tostring(root, method="html", encoding="unicode")), tokens)


def _drop_hidden(root: etree._Element) -> None:
    for element in list(root.iter(etree.Element)):
        if _HIDDEN.search(element.get("style") or ""):
            tail = element.tail
            element.clear()
            element.tail = tail


def _show_blocks(root: etree._Element, tokens: Tokens) -> None:
    """Comments that hide Liquid blocks become words, the others go: html2text reads no comments."""
    for comment in list(root.iter(etree.Comment)):
        word = (comment.text or "").strip()
        shown = word if word in tokens.table and tokens.table[word].text else ""
        _replace_by_text(comment, shown)


def _replace_by_text(node: etree._Element, text: str) -> None:
    parent, previous = node.getparent(), node.getprevious()
    written = text + (node.tail or "")
    if parent is None:
        return
    if previous is not None:
        previous.tail = (previous.tail or "") + written
    else:
        parent.text = (parent.text or "") + written
    parent.remove(node)


def _show_links(root: etree._Element, tokens: Tokens) -> None:
    for anchor in root.iter("a"):
        for image in anchor.iter("img"):
            image.tail = (image.get("alt") or "") + (image.tail or "")
        target = _target(anchor.get("href") or "", tokens)
        label = "".join(map(str, anchor.itertext())).strip()
        if not target or target == label:
            continue
        _append(anchor, f" ({target})" if label else target)


def _target(href: str, tokens: Tokens) -> str:
    if tokens.prefix in href:
        return href
    return href.partition(":")[2].partition("?")[0] if href.startswith(("mailto:", "tel:")) else ""


def _append(element: etree._Element, text: str) -> None:
    last = element[-1] if len(element) else None
    if last is not None:
        last.tail = (last.tail or "").rstrip() + text
    else:
        element.text = (element.text or "").rstrip() + text


def _without_marks(root: etree._Element) -> None:
    """Headings and deleted text without the marks that Markdown has for them."""
    for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        heading.tag = "p"
    for deleted in root.iter("s", "del", "strike"):
        deleted.tag = "span"


def _part_cells(root: etree._Element) -> None:
    for cell in root.iter("td", "th"):
        cell.tail = " " + (cell.tail or "")


def _converted(page: str) -> str:
    converter = HTML2Text(bodywidth=0)
    converter.ignore_images = True
    converter.ignore_links = True
    converter.ignore_emphasis = True
    converter.ignore_tables = True
    converter.unicode_snob = True
    return converter.handle(page)


def _tidied(text: str, tokens: Tokens) -> str:
    text = _INVISIBLE.sub("", text.replace("\u00a0", " "))
    text = _ESCAPED_MARK.sub(r"\1\2", text)
    text = "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
    return _MANY_BLANK_LINES.sub("\n\n", _joined_blocks(text, tokens)).strip() + "\n"


def _joined_blocks(text: str, tokens: Tokens) -> str:
    """A line with nothing but Liquid blocks swallows the blank lines after it, so that loops leave no gaps."""
    words = "|".join(word for word in tokens.table if tokens.table[word].control)
    if not words:
        return text
    runs = re.sub(rf"^(?:(?:{words})[ ]*)+", lambda run: run[0].replace(" ", ""), text, flags=re.MULTILINE)
    return re.sub(rf"^((?:{words})+)\n+", r"\1", runs, flags=re.MULTILINE)
