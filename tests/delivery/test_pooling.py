from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from delivery.pooling import Member, Shares, first_rank

A, B, C = Member("a", 0, 3), Member("b", 0, 1), Member("c", 1, 5)


def test_only_the_lowest_rank_is_used() -> None:
    assert first_rank([C, A, B]) == [A, B]
    assert first_rank([C]) == [C]
    assert first_rank([]) == []


def test_shares_are_exact_over_many_small_splits() -> None:
    shares: Shares[str] = Shares()
    got: Counter[str] = Counter()
    for n in (1, 7, 50, 2, 40):
        for key, part in shares.split(n, [A, B]).items():
            shares.charge({"a": A, "b": B}[key], part)
            got[key] += part
    assert got == {"a": 75, "b": 25}


def test_who_could_not_send_does_not_catch_up() -> None:
    shares: Shares[str] = Shares()
    shares.charge(A, 300)
    shares.keep_up([B], [A])
    assert shares.split(4, [A, B]) == {"a": 3, "b": 1}


@given(n=st.integers(0, 200), weights=st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_every_message_is_given_to_somebody_and_nobody_is_off_by_more_than_one(n: int, weights: list[int]) -> None:
    members = [Member(i, 0, weight) for i, weight in enumerate(weights)]
    parts = Shares[int]().split(n, members)
    assert sum(parts.values()) == n
    total = sum(weights)
    for member in members:
        assert abs(parts[member.key] - n * member.weight / total) <= len(members)
