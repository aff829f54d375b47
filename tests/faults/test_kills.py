"""SIGKILL at every point of the send path: whatever a dead process leaves, others end, and nobody gets it twice."""

from __future__ import annotations

import pytest

from delivery.outcomes import Result
from delivery.sending.drain import WINDOW
from tests.delivery.smtp.scripted import On
from tests.faults.stage import Post, Stage, assert_accounts, emails_of, launch, wait_until_finished

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.mark.parametrize(
    ("point", "nth", "most_uncertain"),
    [
        ("after the claim", 1, 0),
        ("after reading people", 1, 0),
        ("before the journal", 1, 0),
        ("before the journal", 3, WINDOW),
        ("after the journal", 1, WINDOW),
        ("after the journal", 4, WINDOW),
        ("before a message is handed out", 1, WINDOW),
        ("before a message is handed out", 137, WINDOW),
        ("after the final dot", 60, WINDOW),
        ("after an answer", 120, WINDOW),
        ("before outcomes are committed", 1, WINDOW),
        ("before the lease ends", 1, 0),
        ("after the lease ended", 1, 0),
    ],
)
def test_a_worker_killed_at_this_point_costs_at_most_one_journal_step(
    stage: Stage, point: str, nth: int, most_uncertain: int
) -> None:
    with Post(On(".", delay=0.005)) as post:
        if point == "after the final dot":
            post.rules[0].delay = 0.3
        stage.arm(point, nth=nth)
        campaign = launch(300, post, max_connections=4 if point != "after the final dot" else 40)
        dead = emails_of(campaign)[33]
        post.rules.insert(0, On("RCPT", reply="550 5.1.1 no such user", match=dead.encode()))
        wait_until_finished(campaign)
    assert not stage.is_armed
    progress = assert_accounts(campaign, post, most_uncertain=most_uncertain, explained={dead: Result.REFUSED})
    assert progress.total == 300
