"""What the catcher itself saw, per recipient: the truth that the smoke test compares the database with."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

from contacts.addresses import Address, normalise_address


class Record:
    """Counts per normalised address; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._deferred: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._acts: defaultdict[str, set[str]] = defaultdict(set)
        self._failures: list[str] = []

    def note_accepted(self, address: str) -> None:
        """A message was taken."""
        with self._lock:
            self._accepted[_key(address)] += 1

    def note_deferred(self, address: str) -> None:
        """The recipient was told to come again."""
        with self._lock:
            self._deferred[_key(address)] += 1

    def is_known(self, address: str) -> bool:
        """Whether the recipient was told to come again before."""
        with self._lock:
            return _key(address) in self._deferred

    def note_refused(self, address: str) -> None:
        """The recipient or the message was refused for good."""
        with self._lock:
            self._refused[_key(address)] += 1

    def note_act(self, kind: str, address: str) -> None:
        """A simulated reader or mail system did this, and was answered."""
        with self._lock:
            self._acts[kind].add(_key(address))

    def note_failure(self, text: str) -> None:
        """An act found nobody to answer, however often it was tried."""
        with self._lock:
            self._failures.append(text)

    def as_json(self) -> dict[str, Any]:
        """All of it, for the smoke test."""
        with self._lock:
            return {
                "accepted": dict(self._accepted),
                "deferred": dict(self._deferred),
                "refused": dict(self._refused),
                "acts": {kind: sorted(people) for kind, people in self._acts.items()},
                "failures": self._failures[:20],
            }

    def figures(self) -> dict[str, int]:
        """Totals, for the page."""
        with self._lock:
            totals = {
                "accepted": self._accepted.total(),
                "deferred": self._deferred.total(),
                "refused": self._refused.total(),
            }
            return totals | {kind: len(people) for kind, people in sorted(self._acts.items())}


def _key(address: str) -> str:
    known = normalise_address(address)
    return known.address if isinstance(known, Address) else address
