"""Finds the links of a page and puts slots in place of their addresses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from campaigns.content.markup import Attribute, Piece, attributes, deep_pieces
from campaigns.content.problems import Problem, Severity
from campaigns.content.protection import Token, Tokens
from campaigns.content.source import LinkSlot
from campaigns.content.urls import unescaped, usable_url

# Outlook draws buttons as VML shapes, whose address is an href as well.
_LINKING = frozenset({"a", "area", "v:rect", "v:roundrect", "v:oval", "v:shape"})
_OWN_PAGES = re.compile(r"\{\{-?\s*(?:unsubscribe_url|preferences_url)\b")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_OTHER = re.compile(r"(?:mailto|tel|sms|whatsapp):|#.", re.IGNORECASE)
_TEXT_URL = re.compile(r"https?://[^\s<>\"'()\[\]{}]+", re.IGNORECASE)
_MAX_LABEL = 100


@dataclass(slots=True)
class LinkTable:
    """The links of one content as they are found; `first` is the index of the first."""

    tokens: Tokens
    first: int = 0
    links: list[LinkSlot] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _words: dict[str, str] = field(default_factory=dict)

    def add(self, written: str, label: str) -> str:
        """The word that stands for a slot, for an address as HTML writes it with words for its Liquid."""
        index = self.first + len(self.links)
        address = unescaped(written).strip()
        dynamic = self.tokens.prefix in address
        url = self.tokens.restored_text(address) if dynamic else usable_url(address)[0]
        self.links.append(LinkSlot(index, url, label, dynamic))
        slot = f"{{% clickto {index} %}}{url}{{% endclickto %}}" if dynamic else f"{{% click {index} %}}"
        word = self.tokens.add(Token(slot, slot))
        self._words.setdefault(url, word)
        return word

    def word_for_text(self, address: str) -> str:
        """The word for an address in the text part: the slot of the same link in the page, or a new one."""
        url = self.tokens.restored_text(address)
        known = self._words.get(url if self.tokens.prefix in address else usable_url(url)[0])
        return known or self.add(html.escape(address, quote=False), "")

    def of_field(self, word: str) -> str:
        """The slot of the link whose whole address is this piece of Liquid, or the word itself."""
        return self._words.get(self.tokens.table[word].text, word)

    def warn(self, message: str, hint: str) -> None:
        """A finding about a link."""
        self.warnings.append(Problem(message, hint, severity=Severity.WARNING))


def slot_links(page: str, table: LinkTable) -> str:
    """The protected page with a word in place of each address that is to be tracked."""
    parts: list[str] = []
    at = 0
    for piece, href, label in list(_anchors(page)):
        if not _is_tracked(href.value, piece, table):
            continue
        parts += (page[at : href.value_start], table.add(href.value, _plain_label(label, table.tokens)))
        at = href.value_end
    return "".join([*parts, page[at:]])


def slot_text_links(text: str, table: LinkTable) -> str:
    """The same for a hand-written text part, protected: every http and https address in it."""

    def word(found: re.Match[str]) -> str:
        address = found[0].rstrip(".,;:!?*_")
        return table.word_for_text(address) + found[0][len(address) :]

    slotted = _TEXT_URL.sub(word, text)
    return re.sub(table.tokens.pattern, lambda found: table.of_field(found[0]), slotted)


def _anchors(page: str) -> Iterator[tuple[Piece, Attribute, str]]:
    found = list(deep_pieces(page))
    for number, piece in enumerate(found):
        if piece.kind != "start" or piece.name not in _LINKING:
            continue
        href = next((attribute for attribute in attributes(page, piece) if attribute.name == "href"), None)
        if href is not None:
            yield piece, href, _label(page, found, number)


def _label(page: str, found: list[Piece], number: int) -> str:
    anchor = found[number]
    if anchor.self_closing or anchor.name == "area":
        return _attribute(page, anchor, "alt")
    words: list[str] = []
    for piece in found[number + 1 :]:
        if piece.kind == "end" and piece.name == anchor.name:
            break
        if piece.kind == "text":
            words.append(page[piece.start : piece.end])
        elif piece.name == "img":
            words.append(_attribute(page, piece, "alt"))
    return " ".join("".join(words).split()) or _attribute(page, anchor, "title")


def _attribute(page: str, piece: Piece, name: str) -> str:
    return next((attribute.value for attribute in attributes(page, piece) if attribute.name == name), "")


def _plain_label(label: str, tokens: Tokens) -> str:
    return tokens.restored_text(html.unescape(label))[:_MAX_LABEL]


def _is_tracked(value: str, piece: Piece, table: LinkTable) -> bool:
    address = unescaped(value).strip()
    liquid = table.tokens.restored(address)
    if _OWN_PAGES.match(liquid) or _OTHER.match(address):
        return False
    if _WEB.match(address) or address.startswith(table.tokens.prefix):
        return True
    if piece.name in {"a", "area"}:
        shown = f"“{liquid[:60]}”" if liquid else "an empty address"
        table.warn(f"A link leads to {shown}.", "Links need a whole address that begins with https://.")
    return False
