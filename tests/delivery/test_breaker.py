from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from delivery.breaker import CLOSED, Breaker, BreakerPolicy, Circuit, ask_breaker, record_attempts, trip_breaker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = BreakerPolicy()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def recorded(breaker: Breaker, n_ok: int, n_failed: int, seconds: float = 0) -> Breaker:
    return record_attempts(breaker, n_ok=n_ok, n_failed=n_failed, now=at(seconds), policy=POLICY)


def opened() -> Breaker:
    return trip_breaker(CLOSED, "535 login refused", now=NOW, policy=POLICY)


def probing() -> Breaker:
    breaker, n = ask_breaker(opened(), now=at(30), policy=POLICY)
    assert n == 1
    return breaker


def test_a_few_failures_or_a_small_share_leave_it_closed() -> None:
    assert recorded(CLOSED, 0, 9).circuit == Circuit.CLOSED
    assert recorded(CLOSED, 11, 10).circuit == Circuit.CLOSED
    assert ask_breaker(recorded(CLOSED, 11, 10), now=NOW, policy=POLICY)[1] is None


def test_half_of_the_attempts_failing_opens_it_and_says_so() -> None:
    breaker = recorded(recorded(CLOSED, 10, 5), 0, 5, seconds=59)
    assert breaker == Breaker(
        Circuit.OPEN, at(59 + 30), n_opened=1, reason="10 of 20 attempts failed within 60 seconds"
    )
    assert ask_breaker(breaker, now=at(88), policy=POLICY) == (breaker, 0)


def test_failures_of_another_minute_do_not_add_up() -> None:
    assert recorded(recorded(CLOSED, 0, 9), 0, 9, seconds=60).circuit == Circuit.CLOSED


def test_one_probe_leaves_after_the_pause_and_nothing_beside_it() -> None:
    breaker = probing()
    assert breaker.circuit == Circuit.HALF_OPEN
    assert ask_breaker(breaker, now=at(31), policy=POLICY) == (breaker, 0)


def test_a_probe_that_succeeds_closes_it() -> None:
    assert recorded(probing(), 1, 0, seconds=31) == CLOSED


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_ten_minutes() -> None:
    breaker = recorded(probing(), 0, 1, seconds=40)
    assert breaker == Breaker(Circuit.OPEN, at(40 + 60), n_opened=2, reason="535 login refused")
    pauses = []
    for _ in range(6):
        breaker = Breaker(Circuit.HALF_OPEN, NOW, n_opened=breaker.n_opened, reason="x")
        breaker = trip_breaker(breaker, "x", now=NOW, policy=POLICY)
        assert breaker.until is not None
        pauses.append((breaker.until - NOW).total_seconds())
    assert pauses == [120, 240, 480, 600, 600, 600]


def test_a_probe_that_never_answers_counts_as_failed() -> None:
    breaker, n = ask_breaker(probing(), now=at(30 + 12 * 60), policy=POLICY)
    assert (breaker.circuit, breaker.n_opened, n) == (Circuit.OPEN, 2, 0)


def test_late_answers_change_nothing_while_it_is_open() -> None:
    breaker = opened()
    assert recorded(breaker, 50, 50, seconds=1) == breaker
    assert trip_breaker(breaker, "again", now=at(1), policy=POLICY) == breaker


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(0, 700)), max_size=40))
def test_it_always_lets_mail_through_again(steps: list[tuple[int, int, float]]) -> None:
    breaker, seconds = CLOSED, 0.0
    for n_ok, n_failed, wait in steps:
        seconds += wait
        breaker = recorded(breaker, n_ok, n_failed, seconds)
        breaker, _ = ask_breaker(breaker, now=at(seconds), policy=POLICY)
    for _ in range(2):
        seconds += 3600
        breaker, n = ask_breaker(breaker, now=at(seconds), policy=POLICY)
        if n == 0:
            continue
        breaker = recorded(breaker, 1, 0, seconds)
    assert ask_breaker(breaker, now=at(seconds), policy=POLICY)[1] is None
