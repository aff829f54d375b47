"""Drains struck at chosen points: whatever a dead process leaves, others end, and nobody gets it twice.

All scenarios run at once, each on a route of its own, so that they wait out their leases together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from campaigns.models import Campaign
from delivery.models import Deferral, Route
from delivery.outcomes import Result
from delivery.sending.drain import WINDOW
from tests.delivery.smtp.scripted import On
from tests.faults.invariants import assert_accounts, emails_of
from tests.faults.post import Post
from tests.faults.stage import Stage, launch, prepare, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

N = 230


@dataclass(frozen=True)
class Scenario:
    """A fault: what happens to the drain that gets to `point` for the `nth` time, and what it may cost."""

    point: str
    nth: int = 1
    action: str = "kill"
    most_uncertain: int = WINDOW
    connections: int = 4
    answer_delay: float = 0.005

    def __str__(self) -> str:
        return f"{self.action} {self.point}, {self.nth}"


KILLS = [
    Scenario("after the claim", most_uncertain=0),
    Scenario("after reading people", most_uncertain=0),
    Scenario("before the journal", most_uncertain=0),
    Scenario("before the journal", 3),
    Scenario("after the journal"),
    Scenario("after the journal", 4),
    Scenario("before a message is handed out"),
    Scenario("before a message is handed out", 137),
    Scenario("after the final dot", 60, connections=40, answer_delay=0.3),
    Scenario("after an answer", 120),
    Scenario("before outcomes are committed"),
    Scenario("before the lease ends", most_uncertain=0),
    Scenario("after the lease ended", most_uncertain=0),
]
STARVING = [Scenario("before a message is handed out", 90, "starve"), Scenario("after an answer", 30, "starve")]
# Longer than the 48 hours in which a campaign's messages expire.
CLOCKS = [
    Scenario("after the journal", 2, "+72", most_uncertain=0),
    Scenario("after the journal", 2, "-72", most_uncertain=0),
]


@dataclass
class Play:
    """A scenario under way."""

    campaign: Campaign
    route: Route
    post: Post
    dead: str
    busy: str


@pytest.fixture(scope="module")
def plays(theatre: Stage) -> Iterator[dict[Scenario, Play]]:
    """All scenarios, launched."""
    theatre.start_ticking()
    theatre.start_sending(processes=4).wait_until_ready()
    with contextlib.ExitStack() as stack:
        plays = {scenario: _begin(theatre, stack, scenario) for scenario in (*KILLS, *STARVING, *CLOCKS)}
        for play in plays.values():
            launch(play.campaign)
        yield plays


def _begin(stage: Stage, stack: contextlib.ExitStack, scenario: Scenario) -> Play:
    post = stack.enter_context(Post(On(".", delay=scenario.answer_delay)))
    campaign, route = prepare(N, post.port, max_connections=scenario.connections)
    emails = emails_of(campaign)
    dead, busy = emails[33], emails[170]
    post.rules += [
        On("RCPT", reply="550 5.1.1 no such user", match=dead.encode()),
        On("RCPT", reply="451 4.3.2 busy, come back", match=busy.encode(), times=1),
    ]
    stage.arm(route, scenario.point, nth=scenario.nth, action=scenario.action)
    return Play(campaign, route, post, dead, busy)


@pytest.mark.parametrize("scenario", KILLS, ids=str)
def test_a_worker_killed_at_this_point_costs_at_most_one_journal_step(
    theatre: Stage, plays: dict[Scenario, Play], scenario: Scenario
) -> None:
    assert_played(theatre, plays[scenario], scenario)


@pytest.mark.parametrize("scenario", STARVING, ids=str)
def test_a_worker_without_memory_costs_at_most_one_journal_step(
    theatre: Stage, plays: dict[Scenario, Play], scenario: Scenario
) -> None:
    assert_played(theatre, plays[scenario], scenario)


@pytest.mark.parametrize("scenario", CLOCKS, ids=str)
def test_a_clock_that_jumps_by_days_expires_nothing_and_loses_nothing(
    theatre: Stage, plays: dict[Scenario, Play], scenario: Scenario
) -> None:
    play = plays[scenario]
    assert_played(theatre, play, scenario)
    deferral = Deferral.objects.get(campaign_id=play.campaign.pk)
    assert abs((deferral.deferred_at - (play.campaign.launched_at or deferral.deferred_at)).total_seconds()) < 300


def assert_played(stage: Stage, play: Play, scenario: Scenario) -> None:
    wait_until_finished(play.campaign, seconds=120)
    assert not stage.is_armed(play.route), "the fault never struck"
    assert_accounts(
        play.campaign,
        play.post.taken,
        most_uncertain=scenario.most_uncertain,
        explained={play.dead: Result.REFUSED},
    )
