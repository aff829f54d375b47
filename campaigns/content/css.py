"""Splits a style sheet into what can be inlined and what must stay in a <style> element.

premailer 3.10 strips `!important` everywhere or nowhere, and drops @font-face, @import and @supports. So it is given
only plain rules; media queries, pseudo-classes and client hacks stay in the style sheet as they were written, except
that conditional declarations become `!important`: the rules they used to override are now inline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_NESTING = re.compile(r"@(?:media|supports|layer|container)\b", re.IGNORECASE)
_STRING_OR_MARK = re.compile(r""""[^"]*+"|'[^']*+'|[{};]""")
_URL_OR_MARK = re.compile(r"""\([^)]*+\)|"[^"]*+"|'[^']*+'|;""")


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement: `head` is a selector or an at-rule with its parameters; no body for `@import …;`."""

    head: str
    body: str | None

    @property
    def is_plain(self) -> bool:
        """Whether its declarations may become a style attribute."""
        return self.body is not None and not self.head.startswith("@") and ":" not in self.head and "*" not in self.head

    def __str__(self) -> str:
        return f"{self.head} {{ {self.body} }}" if self.body is not None else f"{self.head};"


def rules(sheet: str) -> Iterator[Rule]:
    """The top-level statements of a style sheet, comments dropped. A selector list is cut into one rule each."""
    bare = _COMMENT.sub("", sheet)
    at = 0
    while (mark := _next_mark(bare, at)) is not None:
        head = bare[at : mark.start()].strip()
        if mark[0] == "{":
            end = _block_end(bare, mark.end())
            yield from _cut(head, bare[mark.end() : end].strip())
            at = end + 1
        else:
            if head.startswith("@") and mark[0] == ";":
                yield Rule(head, None)
            at = mark.end()


def _next_mark(sheet: str, at: int) -> re.Match[str] | None:
    # Strings are stepped over: a selector or an @import may hold marks in quotes.
    return next((found for found in _STRING_OR_MARK.finditer(sheet, at) if len(found[0]) == 1), None)


def _block_end(sheet: str, at: int) -> int:
    depth = 1
    for found in _STRING_OR_MARK.finditer(sheet, at):
        depth += (found[0] == "{") - (found[0] == "}")
        if not depth:
            return found.start()
    return len(sheet)


def _cut(head: str, body: str) -> Iterator[Rule]:
    if head.startswith("@") or "[" in head or "(" in head:
        yield Rule(head, body)
        return
    for selector in head.split(","):
        if selector.strip():
            yield Rule(selector.strip(), body)


def kept(rule: Rule) -> str:
    """A rule that stays in the style sheet; conditional ones are made to override what was inlined."""
    if rule.body is not None and _NESTING.match(rule.head):
        return f"{rule.head} {{\n" + "\n".join(map(_overriding, rules(rule.body))) + "\n}"
    return _overriding(rule) if ":" in rule.head and not rule.head.startswith("@") else str(rule)


def _overriding(rule: Rule) -> str:
    if rule.body is None or rule.head.startswith("@"):
        return kept(rule)
    return f"{rule.head} {{ {_important(rule.body)} }}"


def _important(body: str) -> str:
    declarations = (declaration.strip() for declaration in _declarations(body))
    return "; ".join(_made_important(declaration) for declaration in declarations if declaration)


def _declarations(body: str) -> Iterator[str]:
    at = 0
    for found in _URL_OR_MARK.finditer(body):
        if found[0] == ";":
            yield body[at : found.start()]
            at = found.end()
    yield body[at:]


def _made_important(declaration: str) -> str:
    if ":" not in declaration or re.search(r"!\s*important", declaration, re.IGNORECASE):
        return declaration
    return f"{declaration} !important"
