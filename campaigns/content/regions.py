"""Finds Liquid in a source text, in one linear pass.

It runs before python-liquid's lexer, whose regular expressions take quadratic time on thousands of openings that are
never closed; here each opening must close within 2,000 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from campaigns.content.problems import ContentError, Problem, position

MAX_TAG = 2_000

_OPENING = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"\{%-?\s*(#|\w*)")
_END_RAW = re.compile(r"\{%-?\s*endraw\s*-?%\}")
_END_DOC = re.compile(r"\{%-?\s*enddoc\s*-?%\}")


@dataclass(frozen=True, slots=True)
class Region:
    """One piece of Liquid. A verbatim region is a whole raw, comment or doc block; `name` is the tag's name."""

    kind: Literal["output", "tag", "verbatim"]
    name: str
    start: int
    end: int


def liquid_regions(source: str, part: str = "body") -> list[Region]:
    """All Liquid of a source, in order. Raises ContentError for an opening or a verbatim block that never closes."""
    regions: list[Region] = []
    at = 0
    while opening := _OPENING.search(source, at):
        region = _region_at(source, opening.start(), part)
        regions.append(region)
        at = region.end
    return regions


def _region_at(source: str, start: int, part: str) -> Region:
    closing = "}}" if source[start + 1] == "{" else "%}"
    found = source.find(closing, start + 2, start + MAX_TAG)
    if found < 0:
        raise _unclosed(source, start, part, f"“{source[start : start + 2]}” is never closed by “{closing}”.")
    end = found + 2
    if closing == "}}":
        return Region("output", "", start, end)
    name_match = _NAME.match(source, start)
    name = name_match.group(1) if name_match else ""
    if name in {"raw", "doc", "comment"}:
        return Region("verbatim", name, start, _verbatim_end(source, start, end, name, part))
    return Region("tag", name, start, end)


def _verbatim_end(source: str, start: int, after_tag: int, name: str, part: str) -> int:
    if name == "comment":
        end = _comment_end(source, after_tag)
    else:
        found = (_END_RAW if name == "raw" else _END_DOC).search(source, after_tag)
        end = found.end() if found else -1
    if end < 0:
        raise _unclosed(source, start, part, f"“{{% {name} %}}” is never closed by “{{% end{name} %}}”.")
    return end


def _comment_end(source: str, at: int) -> int:
    depth = 1
    while (opening := source.find("{%", at)) >= 0:
        closing = source.find("%}", opening, opening + MAX_TAG)
        if closing < 0:
            return -1
        name_match = _NAME.match(source, opening)
        name = name_match.group(1) if name_match else ""
        depth += (name == "comment") - (name == "endcomment")
        at = closing + 2
        if not depth:
            return at
    return -1


def _unclosed(source: str, start: int, part: str, message: str) -> ContentError:
    line, column = position(source, start)
    return ContentError([Problem(message, line=line, column=column, part=part)])
