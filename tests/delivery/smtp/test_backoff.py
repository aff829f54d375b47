"""When to dial again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from delivery.smtp.backoff import MAX_WAIT, Backoff


def longest(_low: float, high: float) -> float:
    """The jitter that waits longest."""
    return high


def test_waits_double_up_to_thirty_seconds() -> None:
    backoff = Backoff(0.5, longest)
    assert [backoff.failed(0.0, is_permanent=False) for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_rejected_login_waits_longest_at_once() -> None:
    assert Backoff(0.5, longest).failed(0.0, is_permanent=True) == MAX_WAIT


def test_success_forgets_the_failures() -> None:
    backoff = Backoff(0.5, longest)
    backoff.failed(100.0, is_permanent=False)
    assert (backoff.wait(100.25), backoff.wait(101.0)) == (0.25, 0.0)
    backoff.worked()
    assert (backoff.wait(100.25), backoff.n_failures) == (0.0, 0)


@given(st.integers(1, 2000))
def test_jitter_stays_between_half_and_whole(n: int) -> None:
    backoff = Backoff(0.5)
    for _ in range(n):
        wait = backoff.failed(0.0, is_permanent=False)
    assert 0.25 <= wait <= MAX_WAIT
