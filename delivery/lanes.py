"""Whose turn it is on a route: transactional mail first, then campaigns by weight (stride scheduling).

The unit is a step of messages, not a batch: between two steps of 100 a small campaign gets in, so beside one other it
needs twice its time alone and no more. Where a rate limit is what they share, `Share` in limits/values.py does the same
across workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

LARGEST_STEP = 100
"""A journal step: what one worker may have begun and not recorded (DESIGN 5.1)."""


class Lane(IntEnum):
    """Smaller goes first."""

    TRANSACTIONAL = 0
    CAMPAIGN = 1


@dataclass(frozen=True, slots=True)
class Claimant:
    """A campaign with mail due on the route. `virtual_time` grows by messages over `weight`; the smallest goes next."""

    campaign_id: int
    weight: int = 1
    lane: Lane = Lane.CAMPAIGN
    virtual_time: float = 0.0
    n_left: int = 0


def next_claimant(claimants: Iterable[Claimant]) -> Claimant | None:
    """Whose step comes next: lane, then virtual time, then who has less left, then the older campaign."""
    return min(claimants, key=lambda c: (c.lane, c.virtual_time, c.n_left, c.campaign_id), default=None)


def charged(claimant: Claimant, n: int) -> Claimant:
    """The claimant after `n` of its messages went."""
    return replace(claimant, virtual_time=claimant.virtual_time + n / claimant.weight, n_left=claimant.n_left - n)


def joined(newcomer: Claimant, others: Iterable[Claimant]) -> Claimant:
    """The newcomer at the smallest virtual time of its lane: it neither waits for what others had, nor catches up."""
    times = [other.virtual_time for other in others if other.lane == newcomer.lane]
    return replace(newcomer, virtual_time=max(newcomer.virtual_time, min(times, default=0.0)))


def step_size(per_second: float | None) -> int:
    """Messages in a step on a route of this rate (None: unlimited): a second's worth, from 1 to 100."""
    return LARGEST_STEP if per_second is None else max(1, min(LARGEST_STEP, int(per_second)))
