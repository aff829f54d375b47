"""Physical lines to CSV records with line numbers, surviving what breaks a csv.reader. Pure.

A record that cannot be parsed costs its own first line and nothing else: the lines behind it are read again. The
position after each record is a byte offset, so that an import can go on there.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

MAX_LINE = 1 << 20  # bytes
MAX_CELL = csv.field_size_limit()  # 131,072 characters
BROKEN_QUOTE = "A quotation mark is never closed, or stands inside a quoted cell without being doubled."


class Position(NamedTuple):
    """How far a file has been read: bytes, and physical lines."""

    offset: int = 0
    n_lines: int = 0


START = Position()


class Record(NamedTuple):
    """One row: the physical line it begins on, its cells or why there are none, and where the next one begins."""

    line: int
    cells: list[str]
    problem: str
    end: Position


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes of a file are to be read."""

    encoding: str
    delimiter: str


class _Line(NamedTuple):
    """A physical line as it was read, and how many bytes of the file it stands for."""

    raw: bytes
    n_bytes: int
    problem: str = ""


class _Lines:
    """The file's lines as text; remembers what the record being read has taken, and what was wrong with it."""

    def __init__(self, file: BinaryIO, encoding: str, start: Position) -> None:
        file.seek(start.offset)
        self.readline, self.encoding = file.readline, encoding
        self.offset, self.n_lines = start
        self.again: deque[_Line] = deque()
        self.taken: list[_Line] = []
        self.problem = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else self._read()
        raw, n_bytes, problem = line
        if not raw:
            raise StopIteration
        self.taken.append(line)
        self.offset += n_bytes
        self.n_lines += 1
        text, fault = _decode(raw, self.encoding)
        self.problem = problem or fault or self.problem
        return text

    def _read(self) -> _Line:
        raw = self.readline(MAX_LINE)
        n_bytes = len(raw)
        if n_bytes == MAX_LINE and not raw.endswith(b"\n"):
            while not raw.endswith(b"\n") and (raw := self.readline(MAX_LINE)):
                n_bytes += len(raw)
            return _Line(b"\n", n_bytes, f"The line is longer than {MAX_LINE:,} bytes.")
        if not self.n_lines:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        return _Line(raw, n_bytes)

    def give_back(self) -> _Line:
        """Keep only the first line of the record that failed; the others are read again."""
        first, *others = self.taken
        self.again.extendleft(reversed(others))
        self.offset -= sum(line.n_bytes for line in others)
        self.n_lines -= len(others)
        return first


def read_records(
    file: BinaryIO, dialect: Dialect, *, start: Position = START, n_columns: int | None = None
) -> Iterator[Record]:
    """The records of a file from a position on, blank lines left out.

    `n_columns`: a line whose quotes are broken is kept if it still falls into that many cells.
    """
    lines = _Lines(file, dialect.encoding, start)
    reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    while True:
        line = lines.n_lines + 1
        lines.taken, lines.problem = [], ""
        try:
            cells = next(reader, None)
            problem = lines.problem
        except csv.Error as error:
            cells, problem = _salvage(lines, dialect, n_columns, error)
        if cells is None:
            return
        if cells or problem:
            yield Record(line, cells, problem, Position(lines.offset, lines.n_lines))


def _decode(raw: bytes, encoding: str) -> tuple[str, str]:
    """The text of a line, and what is wrong with it."""
    problem = ""
    if b"\0" in raw:
        raw, problem = raw.replace(b"\0", b""), "The row holds a NUL byte."
    try:
        return raw.decode(encoding), problem
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace"), f"The row holds bytes that are not {encoding.upper()} text."


def _salvage(lines: _Lines, dialect: Dialect, n_columns: int | None, error: csv.Error) -> tuple[list[str], str]:
    """The first line of a record that failed, read on its own; PostgreSQL would refuse NUL, so that is a fault too."""
    first = lines.give_back()
    text, fault = _decode(first.raw, dialect.encoding)
    too_long = "field limit" in str(error)
    problem = f"A cell is longer than {MAX_CELL:,} characters." if too_long else BROKEN_QUOTE
    try:
        cells = next(csv.reader([text], delimiter=dialect.delimiter), [])
    except csv.Error:
        return [text[:1000]], problem
    whole = len(cells) == n_columns and not too_long
    return cells, first.problem or fault or ("" if whole else problem)
