"""Warming up a source address or domain: how much it may send to a site on each day, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise

IDLE_DAYS = 30
"""A source that sent nothing for this long is cold again (SendGrid's advice)."""


@dataclass(frozen=True, slots=True)
class GeometricCurve:
    """Every day the same factor more: `first` messages on day 0, `last` on the last of `days`, no cap from then on."""

    first: int = 200
    last: int = 200_000
    days: int = 42

    def __post_init__(self) -> None:
        if self.first < 1 or self.last < self.first or self.days < 2:
            raise ValueError(f"a curve rises from at least 1 over at least 2 days: {self!r}")

    def cap(self, day: int) -> int | None:
        """Messages on that day (from 0), None: no cap any more."""
        if day >= self.days:
            return None
        rise: float = (self.last / self.first) ** (max(day, 0) / (self.days - 1))
        return round(self.first * rise)


@dataclass(frozen=True, slots=True)
class TableCurve:
    """One number per day; no cap after the last."""

    caps: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.caps or self.caps[0] < 1 or any(later < earlier for earlier, later in pairwise(self.caps)):
            raise ValueError(f"a curve rises from at least 1: {self!r}")

    def cap(self, day: int) -> int | None:
        """Messages on that day (from 0), None: no cap any more."""
        return self.caps[max(day, 0)] if day < len(self.caps) else None


Curve = GeometricCurve | TableCurve

# The pace of SendGrid's customers on a new address: 100,000 on day 16, a million in the third week.
DEDICATED_IP = TableCurve(
    (
        *(
            50,
            100,
            250,
            500,
            1_000,
            2_500,
            5_000,
            7_500,
            10_000,
            15_000,
            20_000,
            30_000,
            40_000,
            55_000,
            70_000,
            100_000,
        ),
        *(150_000, 250_000, 400_000, 600_000, 1_000_000),
    )
)


@dataclass(frozen=True, slots=True)
class Warmth:
    """Where a source stands with a site. `held_days`: days on which the cap did not rise (see `judge_reception`)."""

    started_on: date
    last_sent_on: date | None = None
    held_days: int = 0


def day_of(warmth: Warmth, today: date) -> int:
    """The day on the curve, from 0; a source that was idle for 30 days begins again."""
    if warmth.last_sent_on and today - warmth.last_sent_on >= timedelta(days=IDLE_DAYS):
        return 0
    return max(0, (today - warmth.started_on).days - warmth.held_days)


@dataclass(frozen=True, slots=True)
class Member:
    """A source in a pool. `left`: messages that its cap still allows today (None: warm, no cap)."""

    key: str
    left: int | None
    weight: int = 1


def allot(n: int, members: Sequence[Member]) -> dict[str, int]:
    """How many of `n` messages each member takes: what its weight gives it, a cold one no more than its cap.

    What cold members cannot take overflows to warm ones; without a warm one it stays (the sum is then below `n`).
    """
    taken = {member.key: 0 for member in members}
    open_members = list(members)
    while n > 0 and open_members:
        shares = _shares(n, open_members)
        capped = []
        for member, share in zip(open_members, shares, strict=True):
            room = share if member.left is None else min(share, member.left - taken[member.key])
            taken[member.key] += room
            n -= room
            if room < share:
                capped.append(member)
        if not capped:
            break
        open_members = [member for member in open_members if member not in capped]
    return taken


def _shares(n: int, members: Sequence[Member]) -> list[int]:
    """`n` in whole parts by weight; the parts add up."""
    total = sum(member.weight for member in members)
    ends = [n * passed // total for passed in accumulate((member.weight for member in members), initial=0)]
    return [end - start for start, end in pairwise(ends)]


@dataclass(frozen=True, slots=True)
class Reception:
    """How a site took a source's mail of the last days."""

    n_sent: int
    n_bounced: int
    n_complained: int


@dataclass(frozen=True, slots=True)
class Rise:
    """Go on along the curve."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stay at today's cap for another day."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing from this source to this site until a person looked at it."""

    reason: str


LEAST_SAMPLE = 100
STOP_BOUNCED = 0.03
HOLD_COMPLAINED, STOP_COMPLAINED = 0.001, 0.003
"""Gmail: keep spam complaints under 0.1 %, never reach 0.3 % (support.google.com/a/answer/14229414)."""


def judge_reception(reception: Reception) -> Rise | Hold | Stop:
    """Whether the curve goes on, by the bounces and complaints of at least 100 messages (fewer say nothing)."""
    if reception.n_sent < LEAST_SAMPLE:
        return Rise()
    bounced = reception.n_bounced / reception.n_sent
    complained = reception.n_complained / reception.n_sent
    if bounced > STOP_BOUNCED:
        return Stop(f"{bounced:.1%} of {reception.n_sent} messages bounced; a warm-up stops above {STOP_BOUNCED:.0%}")
    if complained >= STOP_COMPLAINED:
        return Stop(f"{complained:.2%} of {reception.n_sent} messages drew a complaint; a warm-up stops at 0.30%")
    if complained >= HOLD_COMPLAINED:
        return Hold(f"{complained:.2%} of {reception.n_sent} messages drew a complaint; the cap rises below 0.10%")
    return Rise()
