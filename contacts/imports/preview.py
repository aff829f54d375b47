"""A first look into an uploaded file: its columns, a guess at the mapping, how its first rows would come in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from .headers import guess_mapping, looks_like_header
from .records import Dialect, Record, read_records
from .rows import ImportRow, RejectedRow, RowReader
from .sniff import sniff_delimiter

MAX_COLUMNS = 400
N_PREVIEW = 20


class UnusableFile(Exception):
    """The file cannot be imported; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Look:
    """The top of a file: column names, whether its first row held them, and the first records behind it."""

    headers: list[str]
    has_header: bool
    records: list[Record]

    def samples(self, column: int) -> list[str]:
        """Up to three values of a column."""
        values = (record.cells[column].strip() for record in self.records if column < len(record.cells))
        return list(islice((value[:60] for value in values if value), 3))


def guess_dialect(file: BinaryIO, encoding: str) -> Dialect:
    """The delimiter goes by the first line that is not blank."""
    file.seek(0)
    line = next((line for line in iter(lambda: file.readline(1 << 16), b"") if line.strip()), b"")
    return Dialect(encoding, sniff_delimiter(line.decode(encoding, "replace")))


def look_into(file: BinaryIO, dialect: Dialect, *, has_header: bool | None = None) -> Look:
    """The columns and first rows of a file; raises UnusableFile if nobody could be imported from it.

    `has_header`: None to find out.
    """
    records = list(islice(read_records(file, dialect), N_PREVIEW + 1))
    if not records:
        raise UnusableFile("The file has no rows.")
    first = records[0]
    if has_header is None:
        has_header = looks_like_header(first.cells)
    n_columns = len(first.cells)
    if n_columns > MAX_COLUMNS:
        raise UnusableFile(
            f"The file has {n_columns} columns, and {MAX_COLUMNS} are the most that can be imported. "
            "If it should have fewer, the delimiter may be another one."
        )
    if has_header and len(records) == 1:
        raise UnusableFile("The file has a header line and no rows.")
    headers = first.cells if has_header else [f"Column {number + 1}" for number in range(n_columns)]
    return Look(headers, has_header, records[1:] if has_header else records[:N_PREVIEW])


def guess(look: Look, custom: Mapping[str, str]) -> dict[int, str]:
    """A mapping to start from; `custom` is key to label."""
    headers = look.headers if look.has_header else [""] * len(look.headers)
    return guess_mapping(headers, [record.cells for record in look.records], custom)


def preview_rows(
    look: Look, mapping: Mapping[int, str], kinds: Mapping[str, str], *, attested: bool
) -> list[tuple[Record, ImportRow | RejectedRow]]:
    """The first rows as they would be imported; the mapping must name the column of addresses."""
    reader = RowReader(mapping, kinds, n_columns=len(look.headers), attested=attested)
    return [(record, reader.read(record)) for record in look.records]
