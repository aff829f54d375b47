"""Intake of one mail from a pipe: `|command` in an alias, `pipe` transports of Postfix and Exim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .arrival import MAX_RAW, Arrival, NoReceipt, Receipt

# sysexits.h EX_TEMPFAIL: the mail system keeps the mail and calls again.
EX_TEMPFAIL = 75


@dataclass(frozen=True, slots=True)
class PipeSource:
    """Reads one mail to the end of the stream. The caller exits with EX_TEMPFAIL when recording fails."""

    stream: BinaryIO
    mail_from: str = ""
    envelope_to: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[Arrival, Receipt]]:
        raw = self.stream.read(MAX_RAW + 1)
        if raw.strip():
            yield Arrival(raw[:MAX_RAW], self.mail_from, self.envelope_to, truncated=len(raw) > MAX_RAW), NoReceipt()
