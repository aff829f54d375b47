"""What every intake of returned mail gives: the raw mail with its envelope, and a receipt to settle afterwards.

    for arrival, receipt in source:
        record(arrival)  # must be durable when it returns, and may be called again for the same digest
        receipt.done()

A source deletes, marks or acknowledges a mail only in `receipt.done()`. A crash in between brings the mail again:
`Arrival.digest` is what makes that harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

# Bounces carry the whole message back. What is over this is recorded up to here and stays where it was.
MAX_RAW = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it came. `mail_from` and `envelope_to` are "" and () where the way in does not tell them."""

    raw: bytes
    mail_from: str = ""
    envelope_to: tuple[str, ...] = ()
    truncated: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the raw mail in hex: the same mail twice is one."""
        return hashlib.sha256(self.raw).hexdigest()


class Receipt(Protocol):
    """The source's side of one arrival."""

    def done(self) -> None:
        """The arrival is recorded: the source may delete, mark or acknowledge it."""

    def failed(self) -> None:
        """It is not: the source keeps it, or tells the sender to try again."""


class NoReceipt:
    """For sources that have nothing to settle."""

    def done(self) -> None:
        """Nothing to do."""

    def failed(self) -> None:
        """Nothing to do."""


def drain(source: Iterable[tuple[Arrival, Receipt]], record: Callable[[Arrival], None]) -> int:
    """Records all that a source has and settles each receipt; returns how many. What `record` raises goes through."""
    n_recorded = 0
    for arrival, receipt in source:
        try:
            record(arrival)
        except BaseException:
            receipt.failed()
            raise
        receipt.done()
        n_recorded += 1
    return n_recorded
