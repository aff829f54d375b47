"""Intake from a maildir: files in new/, and files in cur/ that are not marked as seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .arrival import MAX_RAW, Arrival, Receipt

_SEEN = ":2,S"


@dataclass(frozen=True, slots=True)
class MaildirSource:
    """One pass over a maildir, oldest name first. `delete`: remove what is recorded instead of marking it seen.

    Raises OSError when the folder cannot be read. A mail that another reader takes in between is skipped.
    """

    folder: Path
    delete: bool = False

    def __iter__(self) -> Iterator[tuple[Arrival, Receipt]]:
        for path in self._unseen():
            try:
                with path.open("rb") as file:
                    raw = file.read(MAX_RAW + 1)
            except FileNotFoundError:
                continue
            truncated = len(raw) > MAX_RAW
            yield Arrival(raw[:MAX_RAW], truncated=truncated), _FileReceipt(path, self.delete and not truncated)

    def _unseen(self) -> list[Path]:
        fresh = sorted((self.folder / "new").iterdir())
        read_before = sorted((self.folder / "cur").iterdir())
        return fresh + [path for path in read_before if "S" not in path.name.rpartition(":2,")[2]]


@dataclass(frozen=True, slots=True)
class _FileReceipt:
    path: Path
    delete: bool

    def done(self) -> None:
        if self.delete:
            self.path.unlink(missing_ok=True)
            return
        name, info, flags = self.path.name.partition(":2,")
        seen = f"{name}:2,{''.join(sorted({*flags, 'S'}))}" if info else name + _SEEN
        try:
            self.path.rename(self.path.parent.parent / "cur" / seen)
        except FileNotFoundError:
            return

    def failed(self) -> None:
        """The file stays where it is."""
