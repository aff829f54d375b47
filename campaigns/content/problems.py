"""What is wrong with a content, in words for the person who wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error blocks the launch; a warning only tells."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `part` is body, subject, preheader or text; line and column count from 1 in that part's source."""

    message: str
    hint: str = ""
    line: int | None = None
    column: int | None = None
    part: str = "body"
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.part}, line {self.line}: " if self.line else f"{self.part}: "
        return where + self.message + (f" {self.hint}" if self.hint else "")


class ContentError(Exception):
    """The content cannot be compiled or previewed; `problems` has at least one error."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class RenderError(Exception):
    """One reader's copy cannot be made: a limit was reached, or the data does not fit the template."""


def position(source: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    line = source.count("\n", 0, offset) + 1
    return line, offset - source.rfind("\n", 0, offset)


def suggestion(word: str, known: Iterable[str]) -> str:
    """A "did you mean" for a misspelt word, or an empty string."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""
