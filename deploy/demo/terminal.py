"""What the demo writes to the terminal: steps with their time, one live line, tables; plain lines without a tty."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

PLAIN_SECONDS = 5.0
BAR_CELLS = 24


class Terminal:
    """Writes to `out`; colours and the live line only where it is a terminal."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._is_tty = self._out.isatty()
        self._live = ""
        self._said_at = 0.0

    def say(self, text: str = "") -> None:
        """A line that stays."""
        self._clear()
        self._out.write(f"{text}\n")
        self._out.flush()

    def heading(self, text: str) -> None:
        """A line that stands out."""
        self.say(f"\033[1m{text}\033[0m" if self._is_tty else text)

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and what they are, in two columns."""
        width = max(len(name) for name, _ in rows)
        for name, text in rows:
            self.say(f"  {name:<{width}}  {text}")

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Says what is waited for, and afterwards how long it took."""
        started = time.monotonic()
        if self._is_tty:
            self._show(f"  {text} ...")
        else:
            self.say(f"  {text} ...")
        yield
        if self._is_tty:
            self.say(f"  {text}, {time.monotonic() - started:.1f} s")

    def live(self, text: str, *, now: float) -> None:
        """The line that shows how it stands; without a terminal a line every five seconds, if it changed."""
        if self._is_tty:
            self._show(text)
        elif text != self._live and now - self._said_at >= PLAIN_SECONDS:
            self._said_at, self._live = now, text
            self._out.write(f"{text}\n")
            self._out.flush()

    def _show(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r\033[K{text[:width]}")
        self._out.flush()
        self._live = text

    def _clear(self) -> None:
        if self._is_tty and self._live:
            self._out.write("\r\033[K")
            self._live = ""


def bar(done: int, total: int) -> str:
    """A bar of 24 cells with the percentage; full only when all is done."""
    n_cells = BAR_CELLS * done // total if total else 0
    percent = 100 * done // total if total else 0
    return f"[{'█' * n_cells}{'·' * (BAR_CELLS - n_cells)}] {percent:3d} %"


def table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Lines of a table: a name, a number set to the right, a remark."""
    names = max(_width(name) for name, _, _ in rows)
    numbers = max(len(number) for _, number, _ in rows)
    return [
        f"  {name}{' ' * (names - _width(name))}  {number:>{numbers}}  {note}".rstrip() for name, number, note in rows
    ]


def _width(text: str) -> int:
    """Cells that a text takes: Chinese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
