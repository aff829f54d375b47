"""The automatic brake of a campaign: it pauses before bad addresses or complaints cost the sender's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["bounced", "complained", "blocked"]

HELP: dict[str, str] = {
    "bounced": "Where do these addresses come from? Old or bought lists bounce like this, and mailbox providers take it"
    " for spam. Cancel, leave out the list they came with, and send to the people who opened lately.",
    "complained": "Did these people agree to this mail, and do they know the sender? Cancel, and send to those who"
    " opened or clicked in the last months.",
    "blocked": "Read what the servers say: a listed address or a broken SPF or DKIM record stops all your mail, so mend"
    " that before you resume.",
}


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

    def since(self, earlier: Results) -> Results:
        """What came after `earlier`."""
        return Results(
            max(0, self.n_sent - earlier.n_sent),
            max(0, self.n_bounced - earlier.n_bounced),
            max(0, self.n_complained - earlier.n_complained),
            max(0, self.n_blocked - earlier.n_blocked),
        )


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
    cause: Cause = "bounced"


def judge_campaign(results: Results, policy: BrakePolicy) -> Pause | None:
    """Whether the campaign must pause. Complaints count from the third on, the rest from 200 messages on."""
    if results.n_sent < policy.least:
        return None
    checks: tuple[tuple[Cause, str, int, float, int], ...] = (
        ("bounced", "bounced: their addresses do not exist", results.n_bounced, policy.bounced, 1),
        ("complained", "were marked as spam", results.n_complained, policy.complained, policy.least_complained),
        ("blocked", "were blocked for reputation, content or policy", results.n_blocked, policy.blocked, 1),
    )
    for cause, what, n, share, least in checks:
        if n >= least and n > share * results.n_sent:
            reason = f"{n} of {results.n_sent} messages ({n / results.n_sent:.1%}) {what}; the limit is {share:.1%}."
            return Pause(reason, cause)
    return None
