"""What stands between a compiled content and its launch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.content.fields import merge_fields
from campaigns.content.markup import attributes, deep_pieces
from campaigns.content.plaintext import page_to_text
from campaigns.content.problems import Problem, Severity
from campaigns.content.protection import Tokens, hide, token_prefix
from campaigns.content.slots import SLOT_TAGS
from campaigns.content.source import Content

CLIPPED_AT = 102_000
"""Gmail hides what comes after about 102 KB of HTML, the unsubscribe link at the end with it."""

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_SLOTS = re.compile(r"\{%-?\s*(?:" + "|".join(f"(?:end)?{tag.name}" for tag in SLOT_TAGS) + r")\b.*?%\}", re.DOTALL)
_SHOUTED = 8  # letters; shorter subjects such as "SALE" are left alone
_LONG_SUBJECT = 150


def find_problems(content: Content, *, postal_address: str = "") -> list[Problem]:
    """Errors that block a launch and warnings that do not, the compiler's warnings included; errors first.

    The law of most countries wants an unsubscribe link and a physical address in the body. The address may come from
    `{{ brand.postal_address }}` or stand there literally, as given by `postal_address`.
    """
    found = [*_body_problems(content, postal_address), *_subject_problems(content.subject), *_page_problems(content)]
    found += [*_text_problems(content), *content.warnings]
    return sorted(found, key=lambda problem: problem.severity is Severity.WARNING)


def _warning(message: str, hint: str = "", part: str = "body") -> Problem:
    return Problem(message, hint, part=part, severity=Severity.WARNING)


def _body_problems(content: Content, postal_address: str) -> Iterator[Problem]:
    text = _visible(content)
    if not text and "<img" not in content.html:
        yield Problem("There is nothing in it.", "Write something, or start from a template.")
        return
    fields = merge_fields(_SLOTS.sub("", content.html))
    if "unsubscribe_url" not in fields:
        yield Problem("It has no unsubscribe link.", 'Add <a href="{{ unsubscribe_url }}">Unsubscribe</a>.')
    if "brand.postal_address" not in fields and not _holds(text, postal_address):
        yield Problem("It has no postal address.", "Add {{ brand.postal_address }}.")


def _visible(content: Content) -> str:
    page = _SLOTS.sub("", content.html)
    tokens = Tokens(token_prefix(page))
    shown = page_to_text(hide(page, tokens), tokens) if page.strip() else ""
    return tokens.restored_text(shown).strip()


def _holds(text: str, postal_address: str) -> bool:
    wanted = re.findall(r"\w+", postal_address.lower())
    return bool(wanted) and " ".join(wanted) in " ".join(re.findall(r"\w+", text.lower()))


def _subject_problems(subject: str) -> Iterator[Problem]:
    if not subject.strip():
        yield Problem("The subject is empty.", part="subject")
        return
    letters = [letter for letter in _LIQUID.sub("", subject) if letter.isalpha()]
    if len(letters) >= _SHOUTED and all(letter.isupper() for letter in letters):
        yield _warning("The subject is all in capitals.", "Filters take that for spam.", "subject")
    if len(_LIQUID.sub("", subject)) > _LONG_SUBJECT:
        yield _warning(f"The subject has more than {_LONG_SUBJECT} characters.", "Inboxes show about 60.", "subject")


def _page_problems(content: Content) -> Iterator[Problem]:
    size = len(content.html.encode())
    if size > CLIPPED_AT:
        yield _warning(f"It has {size // 1000} KB of HTML.", "Gmail hides what comes after 102 KB.")
    without_alt = sum(1 for _ in _images_without_alt(_LIQUID.sub("", content.html)))
    if without_alt:
        images = "One image has" if without_alt == 1 else f"{without_alt} images have"
        yield _warning(f"{images} no alt text.", 'Write alt="…", or alt="" for decoration.')
    for link in content.links:
        if link.url.lower().startswith("http://"):
            yield _warning(f"A link to {link.url[:60]} is not encrypted.", "Use https:// if the site has it.")


def _images_without_alt(page: str) -> Iterator[None]:
    for piece in deep_pieces(page):
        if piece.kind == "start" and piece.name == "img" and not any(a.name == "alt" for a in attributes(page, piece)):
            yield None


def _text_problems(content: Content) -> Iterator[Problem]:
    if not content.text.strip():
        yield _warning("There is no text part.", "Some readers and many filters look at it.", "text")
    elif "unsubscribe_url" not in content.text:
        yield _warning("The text part has no unsubscribe link.", "Add {{ unsubscribe_url }}.", "text")
