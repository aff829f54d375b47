"""The plain path: python-liquid renders one reader's copy, for previews, test messages and to measure the fast path."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.content.language import parse, render_template
from campaigns.content.slots import Slots, Untracked
from campaigns.content.source import Content, Rendered


def render(
    content: Content, context: Mapping[str, object], slots: Slots | None = None, *, strict: bool = False
) -> Rendered:
    """One reader's copy. Without slots links are untracked and nothing is counted.

    Strict is for previews: it raises RenderError for a field that the context lacks; otherwise such a field is empty.
    Raises RenderError where a limit is reached.
    """
    filled = slots or Untracked(content.links)

    def part(source: str, *, html: bool = False) -> str:
        return render_template(parse(source, html=html, strict=strict), context, filled)

    return Rendered(
        subject=" ".join(part(content.subject).split()),
        preheader=part(content.preheader),
        html=part(content.html, html=True),
        text=part(content.text),
    )
