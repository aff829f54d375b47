"""Simulated traffic with known truth: how well the rules tell machines from people (`manage.py bench verdicts`).

Pure and seeded: the same seed gives the same figures on every machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from delivery.tracking.actors import ACTORS, N_LINKS, OFFICE, OFFICES, SENT_AT, Message
from delivery.tracking.crowds import own_domain
from delivery.tracking.rules import HUMAN, MACHINE
from delivery.tracking.verdicts import judge


@dataclass(frozen=True)
class Line:
    """One kind of traffic: machine hits found and missed, people's hits kept and taken for machines."""

    name: str
    found: int
    missed: int
    kept: int
    wronged: int

    @property
    def precision(self) -> float | None:
        """Of what was called a machine, how much was one."""
        return _share(self.found, self.wronged)

    @property
    def recall(self) -> float | None:
        """Of the machines, how many were called one."""
        return _share(self.found, self.missed)


@dataclass(frozen=True)
class Score:
    """All kinds of traffic, and their sum."""

    lines: list[Line]
    total: Line

    def as_json(self) -> dict[str, Any]:
        """What scripts read."""
        rows = {line.name: [line.found, line.missed, line.kept, line.wronged] for line in self.lines}
        return {
            "precision": self.total.precision,
            "recall": self.total.recall,
            "people_kept": _share(self.total.kept, self.total.wronged),
            "columns": ["found", "missed", "kept", "wronged"],
            "kinds": rows,
        }


def score_traffic(*, n_messages: int, seed: int) -> Score:
    """Every actor handles `n_messages`; the verdicts are counted against the truth."""
    random = Random(seed)  # noqa: S311 - a simulation
    lines = []
    for number, (name, act) in enumerate(ACTORS.items()):
        messages = [Message(random, number * 1_000_000 + n) for n in range(n_messages)]
        for message in messages:
            act(message)
        lines.append(_scored(name, messages))
    for number, (name, act_together) in enumerate(OFFICES.items(), start=len(ACTORS)):
        messages = [
            Message(random, number * 1_000_000 + n, domain=f"office{n // OFFICE}.example") for n in range(n_messages)
        ]
        for first in range(0, n_messages, OFFICE):
            act_together(messages[first : first + OFFICE])
        lines.append(_scored(name, messages))
    return Score(lines, Line("All", *(sum(getattr(line, key) for line in lines) for key in _COUNTS)))


_COUNTS = ("found", "missed", "kept", "wronged")


def _scored(name: str, messages: list[Message]) -> Line:
    hits = [hit for message in messages for hit, _ in message.hits]
    truths = [truth for message in messages for _, truth in message.hits]
    sent_at = {(1, message.contact_id): SENT_AT for message in messages}
    domains = {message.contact_id: domain for message in messages if (domain := own_domain(message.domain))}
    verdicts = judge(hits, sent_at=sent_at, n_links={1: N_LINKS}, domains=domains)
    counts = Counter((truth, verdict.verdict) for truth, verdict in zip(truths, verdicts, strict=True))
    return Line(
        name,
        counts[MACHINE, MACHINE],
        counts[MACHINE, HUMAN],
        counts[HUMAN, HUMAN],
        counts[HUMAN, MACHINE],
    )


def render_table(score: Score) -> str:
    """For people; Markdown, as in docs/tracking.md."""
    head = (
        "| Traffic | Machine hits found | Missed | People's hits kept | Taken for machines | Precision | Recall |\n"
        "|---|---:|---:|---:|---:|---:|---:|"
    )
    rows = [
        f"| {line.name} | {line.found} | {line.missed} | {line.kept} | {line.wronged}"
        f" | {_percent(line.precision)} | {_percent(line.recall)} |"
        for line in (*score.lines, score.total)
    ]
    return "\n".join([head, *rows, ""])


def _share(part: int, rest: int) -> float | None:
    return round(part / (part + rest), 4) if part + rest else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
