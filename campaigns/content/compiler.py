"""Source to content: Liquid checked, MJML compiled or CSS inlined, links found, text part made; once per campaign."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from liquid.exceptions import LiquidError

from campaigns.content.fields import merge_fields, unknown_fields
from campaigns.content.inline import inline_css
from campaigns.content.language import parse
from campaigns.content.links import LinkTable, slot_links, slot_text_links
from campaigns.content.markup import pieces
from campaigns.content.mjml import mjml_to_html, without_preview
from campaigns.content.plaintext import page_to_text
from campaigns.content.problems import ContentError, Problem, Severity
from campaigns.content.protection import Protected, Token, Tokens, hide, lost_words, protect, token_prefix
from campaigns.content.source import MAX_LINE, MAX_SOURCE, Content, Source
from campaigns.content.syntax import syntax_problems

# What follows the preheader in an inbox list is the beginning of the body; this pads the line with nothing.
_PADDING = "&#847;&zwnj;&nbsp;" * 40
_PREHEADER = '<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all">{}</div>'


def compile_content(
    source: Source, known_fields: frozenset[str] | None = None, *, honeypot: bool = False, first_link: int = 0
) -> Content:
    """Compiles a source. Raises ContentError with every error found in any of its parts.

    `known_fields` are the dotted names a contact has (`contact.first_name`); None accepts any. The links are numbered
    from `first_link`, so that the variants of one campaign can share a link table. The result is the same for the same
    source.
    """
    _raise_errors(_source_problems(source, known_fields))
    tokens = Tokens(token_prefix(source.body, source.text, source.preheader))
    protected = protect(_body(source), tokens)
    page, warnings = _page(source, protected)
    _raise_errors(lost_words(protected, page))
    table = LinkTable(tokens, first_link)
    page = slot_links(page, table)
    text = _text(source, page, table)
    page = _with_extras(page, source, tokens, honeypot=honeypot)
    content = Content(
        subject=_one_line(source.subject),
        preheader=_one_line(source.preheader),
        html=tokens.restored(page),
        text=tokens.restored_text(text),
        links=tuple(table.links),
        merge_fields=_all_fields(source),
        warnings=(*warnings, *table.warnings),
    )
    _raise_errors(_torn_blocks(content))
    return content


def _torn_blocks(content: Content) -> Iterator[Problem]:
    """Errors where a block lost its beginning or end with the markup around it, such as an ignored MJML attribute."""
    for part, written in (("body", content.html), ("text", content.text)):
        try:
            parse(written, html=part == "body")
        except LiquidError as error:
            hint = "Put Liquid around whole elements, or inside of attributes that exist."
            yield Problem(f"A Liquid block is torn apart by the markup: {error.message}.", hint, part=part)


def _raise_errors(problems: Iterable[Problem]) -> None:
    errors = tuple(problem for problem in problems if problem.severity is Severity.ERROR)
    if errors:
        raise ContentError(errors)


def _parts(source: Source) -> dict[str, str]:
    return {"subject": source.subject, "preheader": source.preheader, "body": source.body, "text": source.text}


def _source_problems(source: Source, known_fields: frozenset[str] | None) -> list[Problem]:
    problems: list[Problem] = []
    for part, written in _parts(source).items():
        limit = MAX_LINE if part in {"subject", "preheader"} else MAX_SOURCE
        if len(written) > limit:
            problems.append(Problem(f"It has {len(written):,} characters; the limit is {limit:,}.", part=part))
            continue
        wrong = syntax_problems(written, part)
        if not wrong and known_fields is not None:
            wrong = unknown_fields(written, part, known_fields)
        problems += wrong
    return problems


def _all_fields(source: Source) -> tuple[str, ...]:
    return tuple(sorted({name for written in _parts(source).values() for name in merge_fields(written)}))


def _body(source: Source) -> str:
    return without_preview(source.body) if source.markup == "mjml" and source.preheader else source.body


def _page(source: Source, protected: Protected) -> tuple[str, tuple[Problem, ...]]:
    if source.markup == "mjml":
        return mjml_to_html(protected), ()
    if not source.body.strip():
        return "", ()
    inlined = inline_css(protected)
    return inlined.html, inlined.warnings


def _text(source: Source, page: str, table: LinkTable) -> str:
    if source.text.strip():
        return slot_text_links(hide(source.text, table.tokens, "text"), table)
    return page_to_text(page, table.tokens) if page.strip() else ""


def _with_extras(page: str, source: Source, tokens: Tokens, *, honeypot: bool) -> str:
    """The page with its preheader right after <body>, and the pixel (and honeypot) right before </body>."""
    end = tokens.add(Token("{% honeypot %}{% openpixel %}" if honeypot else "{% openpixel %}", ""))
    body = [piece for piece in pieces(page) if piece.name == "body"]
    opening = next((piece.end for piece in body if piece.kind == "start"), 0)
    closing = next((piece.start for piece in reversed(body) if piece.kind == "end"), len(page))
    hidden = _preheader(source, tokens)
    return page[:opening] + hidden + page[opening:closing] + end + page[closing:]


def _preheader(source: Source, tokens: Tokens) -> str:
    if not source.preheader.strip():
        return ""
    line = html.escape(hide(_one_line(source.preheader), tokens, "preheader"), quote=False)
    return _PREHEADER.format(line + _PADDING)


def _one_line(written: str) -> str:
    return re.sub(r"\s*[\r\n]+\s*", " ", written).strip()
