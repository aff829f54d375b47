"""The automatic brake of a campaign: it pauses before bad addresses or complaints cost the sender's name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a campaign's messages so far.

    `n_sent` counts messages with an answer, `n_bounced` hard bounces, `n_complained` complaints, `n_blocked` refusals
    and deferrals for reputation, content or policy.
    """

    n_sent: int
    n_bounced: int = 0
    n_complained: int = 0
    n_blocked: int = 0


@dataclass(frozen=True, slots=True)
class BrakePolicy:
    """Shares (0 to 1) above which a campaign pauses, and the least samples that say something."""

    bounced: float = 0.02
    complained: float = 0.003
    blocked: float = 0.1
    least: int = 200
    least_complained: int = 3


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the campaign; `reason` is for its page."""

    reason: str


def judge_campaign(results: Results, policy: BrakePolicy) -> Pause | None:
    """Whether the campaign must pause. Complaints count from the third on, the rest from 200 messages on."""
    if results.n_sent < policy.least:
        return None
    checks = (
        ("bounced: their addresses do not exist", results.n_bounced, policy.bounced, 1),
        ("were marked as spam", results.n_complained, policy.complained, policy.least_complained),
        ("were blocked for reputation, content or policy", results.n_blocked, policy.blocked, 1),
    )
    for what, n, share, least in checks:
        if n >= least and n > share * results.n_sent:
            return Pause(
                f"{n} of {results.n_sent} messages ({n / results.n_sent:.1%}) {what}; the limit is {share:.1%}."
            )
    return None
