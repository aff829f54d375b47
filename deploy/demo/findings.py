"""The smoke test's judgement: what the SMTP server received against what it should have received. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

# Whose acts make which figure of the report; machines' opens and clicks are on record too, with their verdict.
ACTS = {
    "opened": ("open", "machine_open"),
    "clicked": ("click", "machine_click"),
    "unsubscribed": ("one_click", "page", "mailto"),
    "complained": ("arf",),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the catcher itself recorded, by normalised address."""

    accepted: Mapping[str, int]
    deferred: Mapping[str, int]
    refused: Mapping[str, int]
    acts: Mapping[str, Set[str]]
    failures: tuple[str, ...]
    n_waiting: int

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Seen:
        """The catcher's /record.json."""
        acts = {kind: frozenset(people) for kind, people in record["acts"].items()}
        counts = (record["accepted"], record["deferred"], record["refused"])
        return cls(*counts, acts, tuple(record["failures"]), record["n_waiting"])

    @property
    def n_accepted(self) -> int:
        """Messages taken."""
        return sum(self.accepted.values())

    def who(self, figure: str) -> set[str]:
        """The people who should be in a figure of the report."""
        return {person for kind in ACTS[figure] for person in self.acts.get(kind, ())}

    @property
    def bounced(self) -> set[str]:
        """Refused in the session, or returned by a report afterwards."""
        return {*self.refused, *self.acts.get("dsn", ())}

    @property
    def deferred_then_accepted(self) -> set[str]:
        """Told to come again, and came."""
        return self.deferred.keys() & self.accepted.keys()


def lost_of(expected: Iterable[str], seen: Seen) -> set[str]:
    """Who should have got the message and was never offered it to the end."""
    return set(expected) - seen.accepted.keys() - seen.refused.keys()


def duplicates_of(seen: Seen) -> int:
    """Messages taken beyond one per person."""
    return sum(n - 1 for n in seen.accepted.values() if n > 1)


def strangers_of(expected: Iterable[str], seen: Seen) -> set[str]:
    """Who was mailed and should not have been: unsubscribed, unconfirmed, suppressed, left out."""
    return (seen.accepted.keys() | seen.refused.keys() | seen.deferred.keys()) - set(expected)


def differences(pairs: Mapping[str, tuple[int, int]]) -> list[str]:
    """A sentence for each pair of numbers that should be one number: (the database's, the true one)."""
    return [f"{name}: {ours} in the database, {true} in truth" for name, (ours, true) in pairs.items() if ours != true]
