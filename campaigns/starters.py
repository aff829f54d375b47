"""The designs that ship with Fanfare, as files in templates/starters/; and the choice of what to start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from campaigns.models import Markup, Template
from contacts.models import Brand

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "starters"
NAMES = {"plain": "Plain letter", "sale": "Sale with products"}


@dataclass(frozen=True, slots=True)
class Design:
    """What a variant starts from: a body in a markup, with an optional written text part."""

    markup: str = Markup.MJML
    body: str = ""
    text: str = ""


# What "empty" means: a page that already says what the law wants.
BLANK = """\
<mjml>
  <mj-body background-color="#f4f4f5">
    <mj-section background-color="#ffffff">
      <mj-column>
        <mj-text font-size="24px" font-weight="bold">Hello {{ contact.first_name | default: "there" }}</mj-text>
        <mj-text font-size="16px" line-height="1.5">Write your message here.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text font-size="12px" color="#52525b" align="center">
          {{ brand.name }}, {{ brand.postal_address }}<br />
          <a href="{{ preferences_url }}">Preferences</a> · <a href="{{ unsubscribe_url }}">Unsubscribe</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""


@dataclass(frozen=True, slots=True)
class Starter:
    """One shipped design; `key` is its file name without the ending."""

    key: str
    name: str
    markup: str
    body: str


@cache
def starters() -> tuple[Starter, ...]:
    """Return the shipped designs by name."""
    files = [file for file in sorted(FOLDER.iterdir()) if file.suffix[1:] in Markup.values]
    return tuple(
        Starter(file.stem, NAMES.get(file.stem, file.stem.capitalize()), file.suffix[1:], file.read_text("utf-8"))
        for file in files
    )


def find_starter(key: str) -> Starter | None:
    """Return the shipped design of that key."""
    return next((starter for starter in starters() if starter.key == key), None)


def is_untouched(body: str) -> bool:
    """Whether a body is word for word what a shipped or the blank design says."""
    return body == BLANK or any(body == starter.body for starter in starters())


def find_design(start: str, brand: Brand) -> Design:
    """Return what `starter:KEY` or `template:PK` (of the brand) stands for; anything else is the blank design."""
    kind, _, key = start.partition(":")
    if kind == "starter" and (starter := find_starter(key)):
        return Design(starter.markup, starter.body)
    if kind == "template" and key.isdecimal() and (stored := Template.objects.filter(brand=brand, pk=key).first()):
        return Design(stored.markup, stored.body, stored.text)
    return Design(Markup.MJML, BLANK)
