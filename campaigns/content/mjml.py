"""MJML to HTML by mrml, with checks in front of it that say in words what mrml answers in riddles.

mrml 0.2.4 passes unknown tags silently, reports an unclosed one as "unexpected end of stream in root template", and
breaks on a bare "<" and on double quotes inside a single-quoted attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import mrml

from campaigns.content.markup import VOID_ELEMENTS, Piece, attributes, pieces
from campaigns.content.problems import ContentError, Problem, suggestion
from campaigns.content.protection import Protected

_HEAD = (
    "mj-head",
    "mj-attributes",
    "mj-all",
    "mj-class",
    "mj-breakpoint",
    "mj-font",
    "mj-preview",
    "mj-style",
    "mj-title",
)
_LAYOUT = ("mjml", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero", "mj-raw", "mj-spacer")
_PARTS = ("mj-text", "mj-button", "mj-image", "mj-divider", "mj-table", "mj-navbar", "mj-navbar-link", "mj-social")
_MORE_PARTS = ("mj-social-element", "mj-carousel", "mj-carousel-image", "mj-accordion", "mj-accordion-element")
COMPONENTS = frozenset({*_HEAD, *_LAYOUT, *_PARTS, *_MORE_PARTS, "mj-accordion-title", "mj-accordion-text"})
_INCLUDES = frozenset({"mj-include", "mj-html-attributes"})


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    offset: int


def mjml_to_html(protected: Protected) -> str:
    """The HTML of protected MJML, tokens still in it. Raises ContentError with the lines of the MJML source."""
    problems = _structure_problems(protected)
    if problems:
        raise ContentError(problems)
    try:
        # Without this, mrml links a web font from a third party in every message.
        return mrml.to_html(_readable(protected.markup), None, mrml.RenderOptions(fonts={})).content
    except OSError as error:
        raise ContentError([Problem(f"The MJML cannot be read: {error}.")]) from error


def without_preview(markup: str) -> str:
    """The MJML without its own mj-preview, for a content that has a preheader."""
    return re.sub(r"<mj-preview\b[^>]*>.*?</mj-preview\s*>", "", markup, flags=re.DOTALL | re.IGNORECASE)


def _readable(markup: str) -> str:
    return "".join(_readable_piece(markup, piece) for piece in pieces(markup))


def _readable_piece(markup: str, piece: Piece) -> str:
    written = markup[piece.start : piece.end]
    if piece.kind == "text":
        return written.replace("<", "&lt;")
    if piece.kind == "start" and "'" in written:
        return _requoted(markup, piece)
    return written


def _requoted(markup: str, piece: Piece) -> str:
    parts: list[str] = []
    at = piece.start
    for attribute in attributes(markup, piece):
        if attribute.quote == "'" and '"' in attribute.value:
            value = attribute.value.replace('"', "&quot;")
            parts += (markup[at : attribute.value_start - 1], f'"{value}"')
            at = attribute.value_end + 1
    return "".join([*parts, markup[at : piece.end]])


def _structure_problems(protected: Protected) -> list[Problem]:
    problems: list[Problem] = []
    stack: list[_Open] = []
    seen: set[str] = set()
    for piece in pieces(protected.markup):
        seen.add(piece.name)
        problem = _piece_problem(protected, piece, stack)
        if problem:
            return [*problems, problem]
    problems += [_never_closed(protected, still_open) for still_open in stack[-1:]]
    if not problems and not {"mjml", "mj-body"} <= seen:
        missing = "mjml" if "mjml" not in seen else "mj-body"
        problems.append(Problem(f"There is no <{missing}>.", "MJML is <mjml><mj-body>…</mj-body></mjml>."))
    return problems


def _piece_problem(protected: Protected, piece: Piece, stack: list[_Open]) -> Problem | None:
    if piece.kind == "start":
        if piece.name.startswith("mj") and piece.name not in COMPONENTS:
            return _unknown_component(protected, piece)
        if not piece.self_closing and piece.name not in VOID_ELEMENTS:
            stack.append(_Open(piece.name, piece.start))
    elif piece.kind == "end" and piece.name not in VOID_ELEMENTS:
        if not stack or stack[-1].name != piece.name:
            return _wrong_end(protected, piece, stack)
        stack.pop()
    elif piece.kind == "text" and re.match(r"</?[a-zA-Z]", protected.markup[piece.start : piece.end]):
        line, column = protected.line_of(piece.start)
        return Problem("A tag starts here and has no “>”.", line=line, column=column)
    return None


def _unknown_component(protected: Protected, piece: Piece) -> Problem:
    line, column = protected.line_of(piece.start)
    message = f"There is no MJML tag <{piece.name}>."
    if piece.name in _INCLUDES:
        return Problem(f"<{piece.name}> is not supported.", line=line, column=column)
    return Problem(message, suggestion(piece.name, COMPONENTS), line, column)


def _never_closed(protected: Protected, still_open: _Open) -> Problem:
    line, column = protected.line_of(still_open.offset)
    name = still_open.name
    return Problem(f"<{name}> is never closed.", f"MJML needs </{name}>, or <{name} … />.", line, column)


def _wrong_end(protected: Protected, piece: Piece, stack: list[_Open]) -> Problem:
    line, column = protected.line_of(piece.start)
    if not any(still_open.name == piece.name for still_open in stack):
        return Problem(f"</{piece.name}> closes nothing.", line=line, column=column)
    return _never_closed(protected, stack[-1])
