"""What can go wrong with a campaign, in words for the person who asked.

CampaignError
├── WrongState        the campaign is not in a state that allows this
└── NotReady          the campaign must not be sent yet; `problems` says why
"""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.readiness import LaunchProblem


class CampaignError(Exception):
    """Something about a campaign that its owner can understand and act on."""


class WrongState(CampaignError):
    """The campaign's state does not allow this; nothing was changed."""


class NotReady(CampaignError):
    """The campaign must not be scheduled yet; nothing was changed."""

    def __init__(self, problems: Sequence[LaunchProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)
