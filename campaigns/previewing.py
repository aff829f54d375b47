"""One reader's copy of a source that is still being written, with everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from campaigns.content.preview import render
from campaigns.content.problems import ContentError, Problem, RenderError
from campaigns.content.source import Rendered, Source
from campaigns.merging import known_fields, preview_context
from contacts.models import Brand, Contact
from contacts.queries import search_contacts

DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
DARK_PAGE = "<style>:root{color-scheme:dark}</style>"


@dataclass(frozen=True, slots=True)
class Preview:
    """A copy, or None where none could be made; `problems` says why, or what deserves attention."""

    copy: Rendered | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a preview is made, and by whom it is sent; `contact` None is the made-up contact."""

    brand: Brand
    contact: Contact | None = None
    campaign_name: str = ""


def make_preview(source: Source, reader: Reader, *, now: datetime) -> Preview:
    """Compile and render a source for one reader. Problems are values here; nothing is raised for bad sources."""
    try:
        content = compile_content(source, known_fields=known_fields())
    except ContentError as error:
        return Preview(None, error.problems)
    context = preview_context(
        reader.brand,
        contact=reader.contact,
        campaign_name=reader.campaign_name,
        subject=source.subject,
        now=now,
    )
    problems = tuple(find_problems(content, postal_address=reader.brand.postal_address))
    try:
        return Preview(render(content, context, strict=True), problems)
    except RenderError as error:
        return Preview(None, (Problem(str(error)), *problems))


def in_dark_mode(html: str) -> str:
    """Return a page as a mail program in dark mode shows it: its own dark styles apply, others stay as they are.

    The frame cannot set prefers-color-scheme for its page, so the media query itself is answered here.
    """
    answered = DARK_QUERY.sub(lambda match: "all" if match[1].lower() == "dark" else "not all", html)
    return re.sub(r"<head[^>]*>", lambda match: match[0] + DARK_PAGE, answered, count=1)


def find_reader(words: str) -> Contact | None:
    """Return the first contact whose address or name begins with the words; None for no words."""
    return next(iter(find_readers(words, limit=1)), None)


def find_readers(words: str, *, limit: int) -> list[Contact]:
    """Return up to `limit` contacts whose address or name begins with the words, by address."""
    if not words.strip():
        return []
    return list(search_contacts(Contact.objects.all(), words).order_by("address")[:limit])
