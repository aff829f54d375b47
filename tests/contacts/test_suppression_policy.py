"""When soft bounces are too many, and which addresses belong to nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.suppression_policy import Policy, is_role_address, judge_soft_bounces

NOW = datetime(2026, 3, 1, tzinfo=UTC)
USUAL = Policy()


def days_ago(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=number) for number in days]


@pytest.mark.parametrize(
    ("bounces", "expected"),
    [
        ([], None),
        (days_ago(20, 15, 10, 0), None),  # four
        (days_ago(14, 10, 7, 3, 0), NOW + timedelta(days=90)),
        (days_ago(13.9, 10, 7, 3, 0), None),  # one bad week or two
        (days_ago(181, 10, 7, 3, 0), None),  # the first is forgotten
        (days_ago(30, 20, 14, 10, 7, 3, 0), NOW + timedelta(days=90)),
    ],
)
def test_five_over_two_weeks_are_too_many(bounces: list[datetime], expected: datetime | None) -> None:
    assert judge_soft_bounces(bounces, USUAL, now=NOW) == expected


def test_a_policy_may_let_soft_bounces_be() -> None:
    assert judge_soft_bounces(days_ago(*range(0, 60, 2)), Policy(soft_count=0), now=NOW) is None


@given(st.lists(st.floats(min_value=0, max_value=400), max_size=12), st.floats(min_value=0, max_value=400))
def test_one_bounce_more_never_lifts_anything(days: list[float], another: float) -> None:
    before = judge_soft_bounces(days_ago(*days), USUAL, now=NOW)
    after = judge_soft_bounces(days_ago(*days, another), USUAL, now=NOW)
    assert before is None or after == before


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("abuse@example.org", True),
        ("Abuse+ticket@example.org", True),
        ("no-reply@example.org", True),
        ("abuser@example.org", False),
        ("info@example.org", False),
        ("alice@example.org", False),
    ],
)
def test_a_role_account_belongs_to_nobody(address: str, expected: bool) -> None:
    assert is_role_address(address) is expected
