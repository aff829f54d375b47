"""The values that enter and leave the pipeline: source, compiled content, link slots, a rendered copy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from campaigns.content.problems import Problem, Severity

Markup = Literal["mjml", "html"]

# 300 KB of source compiles in well under a second; Gmail clips mail at 102 KB anyway.
MAX_SOURCE = 300_000
MAX_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Source:
    """What a marketer wrote; every field may hold Liquid. An empty `text` means: make it from the body."""

    markup: Markup
    body: str
    subject: str
    preheader: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class LinkSlot:
    """One link of the body or text. `url` is as a browser reads it; a dynamic one still has Liquid in it."""

    index: int
    url: str
    label: str = ""
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A compiled content: plain strings with Liquid and slot tags still in them, the same for every reader.

    `html` and `text` say `{% click 3 %}` where a tracked address goes, `{% clickto 4 %}…{% endclickto %}` around an
    address made of merge fields, and `{% openpixel %}` where the open pixel goes (`campaigns.content.slots`).
    """

    subject: str
    preheader: str
    html: str
    text: str
    links: tuple[LinkSlot, ...]
    merge_fields: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Content:
        """The inverse of `as_dict`, also after a trip through JSON."""
        return cls(
            subject=stored["subject"],
            preheader=stored["preheader"],
            html=stored["html"],
            text=stored["text"],
            links=tuple(LinkSlot(**link) for link in stored["links"]),
            merge_fields=tuple(stored["merge_fields"]),
            warnings=tuple(
                Problem(**{**problem, "severity": Severity(problem["severity"])}) for problem in stored["warnings"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """One reader's copy, before transfer encoding."""

    subject: str
    preheader: str
    html: str
    text: str
