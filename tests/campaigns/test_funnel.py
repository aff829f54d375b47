"""The funnel from counted verdicts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaigns.funnel import Funnel, Verdict, funnel_of

VERDICTS = st.lists(st.sampled_from(Verdict), unique=True)


def test_nobody_is_an_empty_funnel() -> None:
    assert funnel_of([]) == Funnel()


def test_people_on_two_lists_are_duplicates_once() -> None:
    funnel = funnel_of([("included", 3, 5), ("suppressed", 1, 1)])

    assert funnel == Funnel(n_matched=6, n_duplicates=2, n_suppressed=1, n_total=3)


@given(VERDICTS, st.data())
def test_the_numbers_add_up(verdicts: list[Verdict], data: st.DataObject) -> None:
    rows = []
    for verdict in verdicts:
        n_people = data.draw(st.integers(0, 10_000))
        rows.append((str(verdict), n_people, n_people + data.draw(st.integers(0, 10_000))))

    funnel = funnel_of(rows)

    left = funnel.n_matched - funnel.n_duplicates - funnel.n_unsubscribed - funnel.n_unconfirmed
    assert left - funnel.n_excluded - funnel.n_suppressed == funnel.n_total
