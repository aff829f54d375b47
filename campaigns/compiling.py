"""From stored rows to the pure content pipeline: sources, known fields, problems."""

from __future__ import annotations

from campaigns.content.problems import ContentError, Problem
from campaigns.content.source import Content, Source
from campaigns.merging import known_fields
from campaigns.models import Markup, Variant


def source_of(variant: Variant) -> Source:
    """Return what the marketer wrote, as the pipeline takes it."""
    return Source(
        markup="mjml" if variant.markup == Markup.MJML else "html",
        body=variant.body,
        subject=variant.subject,
        preheader=variant.preheader,
        text=variant.text,
    )


def compile_variant(variant: Variant, *, first_link: int = 0, honeypot: bool = False) -> Content:
    """Compile a variant with the fields that exist now. Raises ContentError with the problems.

    `first_link` numbers its links after those of the variants before it: a campaign has one link table.
    """
    # The pipeline takes 20 MB that a worker which only sends never needs.
    from campaigns.content.compiler import compile_content

    return compile_content(source_of(variant), known_fields=known_fields(), honeypot=honeypot, first_link=first_link)


def content_problems(variant: Variant, postal_address: str) -> list[Problem]:
    """Return what the pipeline has to say about a variant: errors if it does not compile, else errors and warnings."""
    from campaigns.content.checks import find_problems

    try:
        return find_problems(compile_variant(variant), postal_address=postal_address)
    except ContentError as error:
        return list(error.problems)
