"""Hides Liquid from tools that read markup: each piece of Liquid becomes a token, and comes back afterwards.

A token is a plain word inside attributes, styles and comments and for `{{ }}`; for `{% %}` between elements it is an
HTML comment, which parsers leave where it is even inside tables (an HTML5 parser moves bare text out of them); Liquid
that makes attributes becomes one attribute `word="word"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from campaigns.content.markup import Piece, attributes, pieces
from campaigns.content.problems import Problem, position
from campaigns.content.regions import Region, liquid_regions


@dataclass(frozen=True, slots=True)
class Token:
    """What a word stands for: Liquid in HTML and in the text part, and where in the source it came from."""

    html: str
    text: str
    start: int = -1
    end: int = -1
    control: bool = False


@dataclass(slots=True)
class Tokens:
    """The words of one content and what they stand for."""

    prefix: str
    table: dict[str, Token] = field(default_factory=dict)

    def add(self, token: Token) -> str:
        """A new word for a token."""
        word = f"{self.prefix}{len(self.table)}z"
        self.table[word] = token
        return word

    @property
    def pattern(self) -> str:
        """A regular expression for one word."""
        return rf"{self.prefix}\d+z"

    def words(self, text: str) -> list[str]:
        """The words in a text, in order."""
        return re.findall(self.pattern, text)

    def restored(self, text: str) -> str:
        """The text with Liquid in place of all words, as HTML."""
        return self._replaced(text, lambda token: token.html)

    def restored_text(self, text: str) -> str:
        """The text with Liquid in place of all words, as plain text."""
        return self._replaced(text, lambda token: token.text)

    def _replaced(self, text: str, choose: Callable[[Token], str]) -> str:
        word = self.pattern
        # The comment form, the attribute form (some serialisers write it bare), the plain form.
        pattern = re.compile(rf'<!--({word})-->|({word})=(?:"{word}"|{word})|({word})')
        return pattern.sub(lambda found: self._one(found, choose), text)

    def _one(self, found: re.Match[str], choose: Callable[[Token], str]) -> str:
        word = found.group(1) or found.group(2) or found.group(3)
        return self._replaced(choose(self.table[word]), choose)


@dataclass(frozen=True, slots=True)
class Protected:
    """A source whose Liquid is hidden, and the way back to the lines of the original."""

    markup: str
    tokens: Tokens
    original: str

    def line_of(self, offset: int) -> tuple[int, int]:
        """Line and column in the original source of an offset in `markup`."""
        here = there = 0
        for found in re.finditer(rf"(?:<!--)?({self.tokens.pattern})(?:-->)?", self.markup[:offset]):
            end = self.tokens.table[found[1]].end
            if end >= 0:
                here, there = found.end(), end
        return position(self.original, min(there + offset - here, len(self.original)))


def token_prefix(*sources: str) -> str:
    """A word that none of the sources holds, in letters that survive lower-casing."""
    number = 0
    while any(f"lq{'q' * number}z" in source.lower() for source in sources):
        number += 1
    return f"lq{'q' * number}z"


def protect(source: str, tokens: Tokens, part: str = "body") -> Protected:
    """Hides all Liquid of a source of markup. Raises ContentError for Liquid that never closes."""
    marked = _apart_from_names(hide(source, tokens, part), tokens)
    fitted = "".join(_fitted(marked, piece, tokens) for piece in pieces(marked))
    return Protected(fitted, tokens, source)


def _apart_from_names(marked: str, tokens: Tokens) -> str:
    """`<tr{% if last %} class="last"{% endif %}>`: a block right behind a tag's name is no part of the name."""

    def spaced(found: re.Match[str]) -> str:
        return f"{found[1]} {found[2]}" if tokens.table[found[2]].control else found[0]

    return re.sub(rf"(<[a-zA-Z][a-zA-Z0-9:-]*?)({tokens.pattern})", spaced, marked)


def hide(source: str, tokens: Tokens, part: str = "body") -> str:
    """The source with a bare word for each piece of its Liquid."""
    parts: list[str] = []
    at = 0
    for region in liquid_regions(source, part):
        parts += (source[at : region.start], tokens.add(_token_for(source, region)))
        at = region.end
    return "".join([*parts, source[at:]])


def _token_for(source: str, region: Region) -> Token:
    liquid = source[region.start : region.end]
    note = region.kind == "verbatim" and region.name != "raw"
    if note:
        liquid = ""
    return Token(liquid, _as_text(liquid), region.start, region.end, control=note or region.kind == "tag")


_HTML_ONLY_FILTERS = re.compile(r"\|\s*(?:newline_to_br|escape_once|escape)\s*(?=\||-?\}\}|-?%\})")


def _as_text(liquid: str) -> str:
    return _HTML_ONLY_FILTERS.sub("", liquid)


def _fitted(markup: str, piece: Piece, tokens: Tokens) -> str:
    written = markup[piece.start : piece.end]
    if written.startswith("<!["):
        # <![if !mso]>: valid for Outlook, but a parser makes an ordinary comment of it.
        return f"<!--{tokens.add(Token(written, ''))}-->"
    if tokens.prefix not in written:
        return written
    if piece.kind == "text":
        return re.sub(tokens.pattern, lambda found: _in_text(found[0], tokens), written)
    if piece.kind == "start":
        return _with_attribute_tokens(markup, piece, tokens)
    if piece.kind == "raw" and piece.name in {"style", "mj-style"}:
        return re.sub(_css_word(tokens), lambda found: _one_css_value(found[0], tokens), written)
    return written


def _one_css_value(written: str, tokens: Tokens) -> str:
    has_block = any(tokens.table[word].control for word in tokens.words(written))
    return written if has_block else tokens.add(Token(written, ""))


def _css_word(tokens: Tokens) -> str:
    """A word with the characters that make one CSS value with it: `#{{ colour }}` and `{{ width }}px` are one word."""
    return rf"#(?:{tokens.pattern})+[\w%-]*|[\w-]*(?:{tokens.pattern})+[\w-]*%?"


def _in_text(word: str, tokens: Tokens) -> str:
    return f"<!--{word}-->" if tokens.table[word].control else word


def _with_attribute_tokens(markup: str, piece: Piece, tokens: Tokens) -> str:
    """Liquid between a tag's attributes, from its first tag to its last, becomes one attribute."""
    bare = list(_bare_words(markup, piece, tokens))
    if not bare:
        return markup[piece.start : piece.end]
    start, end = bare[0].start(), bare[-1].end()
    first, last = tokens.table[bare[0][0]], tokens.table[bare[-1][0]]
    word = tokens.add(Token(markup[start:end], "", first.start, last.end))
    return f'{markup[piece.start : start]}{word}="{word}"{markup[end : piece.end]}'


def _bare_words(markup: str, piece: Piece, tokens: Tokens) -> Iterator[re.Match[str]]:
    values = [(attribute.value_start, attribute.value_end) for attribute in attributes(markup, piece)]
    for found in re.compile(tokens.pattern).finditer(markup, piece.start + 1, piece.end):
        inside = any(start <= found.start() and found.end() <= end for start, end in values)
        if not inside and found.start() > piece.start + len(piece.name):
            yield found


def lost_words(protected: Protected, output: str) -> list[Problem]:
    """Errors for Liquid blocks that a tool dropped or moved: the message would say something else than its source."""
    tokens = protected.tokens
    placed = re.finditer(rf'<!--({tokens.pattern})-->|\b({tokens.pattern})="\2"', protected.markup)
    wanted = [word for word in (found[1] or found[2] for found in placed) if tokens.table[word].html]
    present = set(tokens.words(output))
    problems = [_lost(protected, word) for word in wanted if word not in present]
    found = [word for word in dict.fromkeys(tokens.words(output)) if word in set(wanted)]
    if not problems and found != wanted:
        moved = next(word for word, expected in zip(found, wanted, strict=True) if word != expected)
        problems.append(_lost(protected, moved))
    return problems


def _lost(protected: Protected, word: str) -> Problem:
    token = protected.tokens.table[word]
    line, column = position(protected.original, token.start)
    message = f"“{protected.tokens.restored(token.html)[:60]}” stands where the markup has no place for it."
    return Problem(message, "Put it around whole elements, or around table rows.", line, column)
