"""When a deferred message is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from delivery.inbound.taxonomy import Category

SCHEDULE_MINUTES = (5, 10, 20, 40, 60, 120, 240)
"""Minutes after the first, second, ... attempt; the last one repeats. About 17 attempts fit in the usual 48 hours."""
JITTER = 0.2
GREYLIST_MINUTES = (5, 15)
"""Greylisting servers want 5 minutes at least and forget after hours (RFC 6647 section 2.1), so these come soon."""
GREYLIST_ATTEMPTS = 3
MARGIN_S = 10
"""On top of what the server asked for: its clock began before its reply arrived."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try at `at`; with `same_source` from the same account and source address, which a greylist remembers."""

    at: datetime
    same_source: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Try no more. `reason` "expired": the next attempt would come after the message's time."""

    reason: str


def decide(
    *, attempt: int, category: str, retry_after: int | None, now: datetime, expires_at: datetime, rng: Random
) -> RetryAt | GiveUp:
    """What follows a deferral.

    `attempt` is the number, from 1, of the attempt that was deferred, `category` its `Category`, `retry_after` the
    seconds that the server asked for, if it did. Never earlier than asked for, never at or after `expires_at`.
    """
    greylisted = category == Category.GREYLIST
    delay_s = _greylist_s(rng) if greylisted and attempt <= GREYLIST_ATTEMPTS else _scheduled_s(attempt, rng)
    if retry_after is not None:
        asked_s = (retry_after + MARGIN_S) * rng.uniform(1, 1 + JITTER)
        delay_s = asked_s if greylisted else max(asked_s, delay_s)
    at = now + timedelta(seconds=delay_s)
    return RetryAt(at, same_source=greylisted) if at < expires_at else GiveUp("expired")


def _scheduled_s(attempt: int, rng: Random) -> float:
    minutes = SCHEDULE_MINUTES[min(attempt, len(SCHEDULE_MINUTES)) - 1]
    return minutes * 60 * rng.uniform(1 - JITTER, 1 + JITTER)


def _greylist_s(rng: Random) -> float:
    earliest, latest = GREYLIST_MINUTES
    return rng.uniform(earliest, latest) * 60
