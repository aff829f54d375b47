"""The audience funnel as numbers: from matched subscriptions down to the people who will receive the campaign. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the audience query says about one person; the first that applies wins, in this order."""

    UNSUBSCRIBED = "unsubscribed"
    UNCONFIRMED = "unconfirmed"
    EXCLUDED = "excluded"
    SUPPRESSED = "suppressed"
    INCLUDED = "included"


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many subscriptions matched, how many people fell out and why, and how many remain.

    n_matched - n_duplicates - n_unsubscribed - n_unconfirmed - n_excluded - n_suppressed = n_total.
    `n_matched` counts subscriptions on the chosen lists in any state; everything after duplicates counts people.
    """

    n_matched: int = 0
    n_duplicates: int = 0
    n_unsubscribed: int = 0
    n_unconfirmed: int = 0
    n_excluded: int = 0
    n_suppressed: int = 0
    n_total: int = 0


def funnel_of(counts: Iterable[tuple[str, int, int]]) -> Funnel:
    """Build the funnel from rows of (verdict, people, subscriptions)."""
    rows = list(counts)
    people = {Verdict(verdict): n_people for verdict, n_people, _ in rows}
    n_matched = sum(n_subscriptions for _, _, n_subscriptions in rows)
    return Funnel(
        n_matched=n_matched,
        n_duplicates=n_matched - sum(people.values()),
        n_unsubscribed=people.get(Verdict.UNSUBSCRIBED, 0),
        n_unconfirmed=people.get(Verdict.UNCONFIRMED, 0),
        n_excluded=people.get(Verdict.EXCLUDED, 0),
        n_suppressed=people.get(Verdict.SUPPRESSED, 0),
        n_total=people.get(Verdict.INCLUDED, 0),
    )
