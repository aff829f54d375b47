"""Lines of generated code, and the sink that output goes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from delivery.rendering.sinks import Sink


@dataclass(slots=True)
class Writer:
    """Collects the lines of a function's body, at a depth."""

    sink: Sink
    lines: list[str] = field(default_factory=list)
    depth: int = 1

    def line(self, code: str) -> None:
        """Adds one line of code at the present depth."""
        self.lines.append("    " * self.depth + code)

    def flush(self) -> None:
        """Writes what the sink has collected."""
        for statement in self.sink.statements():
            self.line(statement)

    @contextmanager
    def indented(self, header: str) -> Iterator[None]:
        """A Python block."""
        self.flush()
        self.line(header)
        self.depth += 1
        written = len(self.lines)
        yield
        self.flush()
        if len(self.lines) == written:
            self.line("pass")
        self.depth -= 1

    @contextmanager
    def into(self, sink: Sink) -> Iterator[None]:
        """Output goes to another sink."""
        self.flush()
        outer, self.sink = self.sink, sink
        yield
        self.flush()
        self.sink = outer
