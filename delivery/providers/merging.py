"""Turns many finished bodies into one text with fields and each recipient's values, for APIs that merge themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Tags, and lines of the text between them: bodies of one campaign differ inside single tokens (a link, a greeting).
# Words would be finer and cost ten times as much.
TOKEN = re.compile(r"<[^>]*>|[^<\n]+|\n|<")


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a provider writes a field, and the strings that its merge language would take for one of its own."""

    opening: str
    closing: str
    alarms: tuple[str, ...]

    def is_safe(self, text: str) -> bool:
        """Whether the provider leaves this text as it is."""
        return not any(alarm in text for alarm in self.alarms)


@dataclass(frozen=True, slots=True)
class Merged:
    """A text with fields, and for each body the value of every field."""

    template: str
    values: list[dict[str, str]]


def shape(text: str) -> tuple[int, int]:
    """Bodies with equal counts of tags and lines line up; a recipient who sees another block has another shape."""
    return text.count("<"), text.count("\n")


def merge(texts: Sequence[str], prefix: str, syntax: Syntax) -> Merged:
    """One template for all texts; substituting its values gives back each text exactly.

    Texts of one shape share everything but what differs; otherwise, and where the provider's own syntax occurs in
    the texts, the whole body is one field.
    """
    if not all(syntax.is_safe(text) for text in texts):
        return _whole(texts, prefix, syntax)
    if len(set(texts)) == 1:
        return Merged(texts[0], [{} for _ in texts])
    rows = [TOKEN.findall(text) for text in texts]
    if len({len(row) for row in rows}) > 1:
        return _whole(texts, prefix, syntax)
    pieces, fields = _split(rows)
    if not _pieces_are_safe(pieces, syntax):
        return _whole(texts, prefix, syntax)
    return _assemble(pieces, fields, prefix, syntax)


def _whole(texts: Sequence[str], prefix: str, syntax: Syntax) -> Merged:
    """The whole body as one field."""
    name = f"{prefix}0"
    return Merged(f"{syntax.opening}{name}{syntax.closing}", [{name: text} for text in texts])


def _split(rows: Sequence[Sequence[str]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Static pieces around the differing columns: one piece more than fields."""
    pieces: list[str] = []
    fields: list[tuple[str, ...]] = []
    static: list[str] = []
    differing = _differing(rows)
    for position, token in enumerate(rows[0]):
        if position not in differing:
            static.append(token)
            continue
        column = [row[position] for row in rows]
        head = _common_start(column)
        rests = [one[len(head) :] for one in column]
        tail = _common_start([rest[::-1] for rest in rests])[::-1]
        pieces.append("".join([*static, head]))
        fields.append(tuple(rest[: len(rest) - len(tail)] for rest in rests))
        static = [tail]
    return [*pieces, "".join(static)], fields


def _differing(rows: Sequence[Sequence[str]]) -> set[int]:
    """The positions at which not all rows have the same token."""
    first, found = rows[0], set[int]()
    for row in rows[1:]:
        found.update(i for i, (a, b) in enumerate(zip(first, row, strict=True)) if a != b)
    return found


def _common_start(texts: Sequence[str]) -> str:
    """The longest start that all texts share: that of the first and last in order."""
    low, high = min(texts), max(texts)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:size]


def _assemble(pieces: Sequence[str], fields: Sequence[tuple[str, ...]], prefix: str, syntax: Syntax) -> Merged:
    """Name the fields (equal columns share a name: one token in thirty links is one field) and join the pieces."""
    names: dict[tuple[str, ...], str] = {}
    template = [pieces[0]]
    for column, piece in zip(fields, pieces[1:], strict=True):
        name = names.setdefault(column, f"{prefix}{len(names)}")
        template += [syntax.opening, name, syntax.closing, piece]
    size = len(fields[0]) if fields else 0
    return Merged("".join(template), [{name: column[i] for column, name in names.items()} for i in range(size)])


def _pieces_are_safe(pieces: Sequence[str], syntax: Syntax) -> bool:
    """Whether no piece runs into a field's marker: a "{" just before "{{h0}}" would change its meaning."""
    before, after = syntax.opening[0], syntax.closing[-1]
    return not any(piece.endswith(before) for piece in pieces[:-1]) and not any(
        piece.startswith(after) for piece in pieces[1:]
    )
