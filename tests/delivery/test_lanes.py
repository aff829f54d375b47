from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.lanes import Claimant, Lane, charged, joined, next_claimant, step_size


def run(claimants: list[Claimant], n_messages: int, step: int = 100) -> Counter[int]:
    """Hand out steps until so many messages went; gives messages per campaign."""
    sent: Counter[int] = Counter()
    waiting = {claimant.campaign_id: claimant for claimant in claimants}
    while sent.total() < n_messages:
        turn = next_claimant(c for c in waiting.values() if c.n_left)
        if turn is None:
            break
        n = min(step, turn.n_left)
        sent[turn.campaign_id] += n
        waiting[turn.campaign_id] = charged(turn, n)
    return sent


def test_nobody_waiting_means_nobodys_turn() -> None:
    assert next_claimant([]) is None


def test_campaigns_of_the_same_weight_take_turns() -> None:
    assert run([Claimant(1, n_left=10**6), Claimant(2, n_left=10**6)], 10_000) == {1: 5000, 2: 5000}


def test_weights_decide_the_shares() -> None:
    sent = run([Claimant(1, 3, n_left=10**6), Claimant(2, 1, n_left=10**6)], 8000)
    assert sent == {1: 6000, 2: 2000}


@pytest.mark.parametrize("n_small", [100, 500, 2000, 10_000])
def test_a_small_campaign_beside_a_huge_one_needs_at_most_twice_its_time_alone(n_small: int) -> None:
    big = Claimant(1, virtual_time=700_000, n_left=300_000)
    small = joined(Claimant(2, n_left=n_small), [big])
    under_way = 100  # a step of the big one that had just begun
    before_end = run([big, small], 2 * n_small - under_way)
    assert before_end[2] == n_small


def test_a_newcomer_does_not_catch_up_on_what_others_had() -> None:
    old = [Claimant(1, virtual_time=500, n_left=10**6), Claimant(2, virtual_time=900, n_left=10**6)]
    newcomer = joined(Claimant(3, n_left=10**6), old)
    assert newcomer.virtual_time == 500
    assert joined(Claimant(3, n_left=1), []).virtual_time == 0
    assert joined(Claimant(3, lane=Lane.TRANSACTIONAL), old).virtual_time == 0


def test_one_that_comes_back_keeps_what_it_was_charged() -> None:
    assert joined(Claimant(3, virtual_time=800), [Claimant(1, virtual_time=500)]).virtual_time == 800


def test_transactional_mail_goes_first_whatever_it_had() -> None:
    urgent = Claimant(9, lane=Lane.TRANSACTIONAL, virtual_time=10**9, n_left=300)
    sent = run([Claimant(1, n_left=10**6), urgent], 400)
    assert sent == {9: 300, 1: 100}


@given(
    weights=st.lists(st.integers(1, 10), min_size=2, max_size=6),
    n_messages=st.integers(1000, 50_000),
)
def test_no_campaign_is_ever_a_step_behind_its_share(weights: list[int], n_messages: int) -> None:
    sent = run([Claimant(i, weight, n_left=10**9) for i, weight in enumerate(weights)], n_messages, step=10)
    for i, weight in enumerate(weights):
        share = sent.total() * weight / sum(weights)
        assert abs(sent[i] - share) <= 10 * len(weights) * weight


@pytest.mark.parametrize(("rate", "size"), [(None, 100), (0.1, 1), (1, 1), (30, 30), (5000, 100)])
def test_a_step_is_a_seconds_worth_of_the_route(rate: float | None, size: int) -> None:
    assert step_size(rate) == size
