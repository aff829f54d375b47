"""Merge fields: which a template uses, and which of them nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from liquid import BoundTemplate

from campaigns.content.language import author_language
from campaigns.content.problems import Problem, position, suggestion

SYSTEM_FIELDS = frozenset(
    {
        "brand.name",
        "brand.postal_address",
        "brand.website",
        "campaign.name",
        "campaign.subject",
        "unsubscribe_url",
        "preferences_url",
        "now",
    }
)
"""Fields that every message has, whatever the contact."""

_PROPERTIES = frozenset({"size", "first", "last"})


@dataclass(frozen=True, slots=True)
class _Use:
    path: tuple[str, ...]
    offset: int


def merge_fields(source: str) -> tuple[str, ...]:
    """The dotted names of all fields a part refers to, sorted; fields of loop variables are not among them."""
    return tuple(sorted({".".join(use.path) for use in _uses(author_language().from_string(source))}))


def unknown_fields(source: str, part: str, known: Iterable[str]) -> list[Problem]:
    """One error for each field that is neither known nor below a known one (`contact.orders` knows its items)."""
    names = SYSTEM_FIELDS | frozenset(known)
    problems = []
    for use in _uses(author_language().from_string(source)):
        if not _is_known(use.path, names):
            line, column = position(source, use.offset)
            name = ".".join(use.path)
            problems.append(Problem(f"There is no field “{name}”.", suggestion(name, names), line, column, part))
    return problems


def _is_known(path: tuple[str, ...], names: frozenset[str]) -> bool:
    joined = ".".join(path)
    is_group = any(name.startswith(joined + ".") for name in names)
    return is_group or any(".".join(path[:length]) in names for length in range(1, len(path) + 1))


def _uses(template: BoundTemplate) -> Iterable[_Use]:
    for variables in template.analyze().globals.values():
        for variable in variables:
            names: list[str] = []
            for segment in variable.segments:
                if not isinstance(segment, str) or (names and segment in _PROPERTIES):
                    break
                names.append(segment)
            yield _Use(tuple(names), variable.span.index)
