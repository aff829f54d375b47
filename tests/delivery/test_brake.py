from __future__ import annotations

import pytest

from delivery.brake import BrakePolicy, Cause, Pause, Results, judge_campaign

POLICY = BrakePolicy()


@pytest.mark.parametrize(
    "results",
    [
        Results(0),
        Results(199, n_bounced=199, n_complained=199, n_blocked=199),
        Results(1000, n_bounced=20, n_complained=3, n_blocked=100),
        Results(200, n_complained=2),
    ],
)
def test_a_campaign_within_its_limits_goes_on(results: Results) -> None:
    assert judge_campaign(results, POLICY) is None


@pytest.mark.parametrize(
    ("results", "reason", "cause"),
    [
        (
            Results(1000, n_bounced=21),
            "21 of 1000 messages (2.1%) bounced: their addresses do not exist; the limit is 2.0%.",
            "bounced",
        ),
        (
            Results(200, n_complained=3),
            "3 of 200 messages (1.5%) were marked as spam; the limit is 0.3%.",
            "complained",
        ),
        (
            Results(500, n_blocked=60),
            "60 of 500 messages (12.0%) were blocked for reputation, content or policy; the limit is 10.0%.",
            "blocked",
        ),
    ],
)
def test_a_campaign_over_a_limit_pauses_and_says_why(results: Results, reason: str, cause: Cause) -> None:
    assert judge_campaign(results, POLICY) == Pause(reason, cause)


def test_limits_can_be_set() -> None:
    strict = BrakePolicy(bounced=0.001, least=10)
    assert judge_campaign(Results(10, n_bounced=1), strict) is not None
    assert judge_campaign(Results(10, n_bounced=1), POLICY) is None
