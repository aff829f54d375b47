"""Hits that Redis could not take: in a file of this process until Redis answers again (docs/adr/0027)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

MAX_BYTES = 64 * 1024 * 1024  # about 400,000 hits per process
CHUNK = 1000

Send = Callable[[Sequence[bytes]], None]


class Spill:
    """A folder of files, one per process that needed one; the lock on a file says that its process lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._n_bytes = 0

    @property
    def is_used(self) -> bool:
        """Whether this process holds hits back."""
        return self._file is not None

    def keep(self, entries: Sequence[bytes]) -> bool:
        """The entries are on disk afterwards; False where they could not be kept."""
        content = b"".join(struct.pack(">I", len(entry)) + entry for entry in entries)
        if self._n_bytes + len(content) > MAX_BYTES:
            return False
        try:
            file = self._opened()
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            return False
        self._n_bytes += len(content)
        return True

    def send_back(self, send: Send) -> int:
        """What this and dead processes kept is sent; a file goes only after all of it was. Returns how many hits."""
        n_sent = 0
        for path in sorted(self._folder.glob("hits-*.spill")):
            with contextlib.suppress(OSError), path.open("rb") as file:
                if self._is_own(path) or _locked(file):
                    n_sent += _send_all(file, send)
                    path.unlink()
        self.close()
        return n_sent

    def close(self) -> None:
        """The file is nobody's any more: the next process may send what is in it."""
        if self._file is not None:
            self._file.close()
            self._file, self._n_bytes = None, 0

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / f"hits-{os.getpid()}-{uuid.uuid4().hex[:8]}.spill").open("ab")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = file
        return self._file

    def _is_own(self, path: Path) -> bool:
        return self._file is not None and Path(str(self._file.name)) == path


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _send_all(file: IO[bytes], send: Send) -> int:
    n_sent, chunk = 0, []
    for entry in _entries(file):
        chunk.append(entry)
        if len(chunk) == CHUNK:
            send(chunk)
            n_sent, chunk = n_sent + len(chunk), []
    if chunk:
        send(chunk)
    return n_sent + len(chunk)


def _entries(file: IO[bytes]) -> Iterator[bytes]:
    """Whole entries; one that was cut off by a crash is left out: nobody was answered for it."""
    while len(head := file.read(4)) == 4:
        (length,) = struct.unpack(">I", head)
        entry = file.read(length)
        if len(entry) == length:
            yield entry
