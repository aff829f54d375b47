"""Whether this worker was asked to stop: set in the parent, seen by its forked children within a second."""

from __future__ import annotations

from multiprocessing import get_context

# Made at import, before the pool forks: parent and children share it.
_asked = get_context("fork").Event()


def ask_to_stop() -> None:
    """Running drains hand back what they have not begun and end."""
    _asked.set()


def is_stopping() -> bool:
    """True once ask_to_stop was called in this process or its parent."""
    return _asked.is_set()
