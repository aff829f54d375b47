"""Whose word on consent counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.policy import Consent, State, decide_consent, is_repeat, is_sync, within_reason

T = datetime(2026, 1, 1, tzinfo=UTC)
EARLIER, LATER = T - timedelta(days=1), T + timedelta(days=1)
MOMENTS = st.sampled_from([EARLIER, T, LATER])
STATES: st.SearchStrategy[State] = st.sampled_from(["unconfirmed", "confirmed", "unsubscribed"])
SOURCES = st.sampled_from(["admin", "page", "one-click", "api", "store:1", "store:2", "import:1"])
CONSENTS = st.builds(Consent, STATES, MOMENTS, SOURCES)


@pytest.mark.parametrize(
    ("state", "source", "offered", "at", "by", "accepted"),
    [
        # leaving
        ("confirmed", "admin", "unsubscribed", LATER, "api", True),
        ("confirmed", "admin", "unsubscribed", T, "api", True),
        ("confirmed", "admin", "unsubscribed", EARLIER, "one-click", False),
        ("unsubscribed", "admin", "unsubscribed", T, "api", False),
        ("unsubscribed", "store:1", "unsubscribed", LATER, "one-click", True),
        ("unsubscribed", "one-click", "unsubscribed", LATER, "store:1", False),  # or that store could undo it
        ("unsubscribed", "store:1", "unsubscribed", LATER, "store:2", True),
        # coming back
        ("unsubscribed", "one-click", "confirmed", LATER, "page", True),
        ("unsubscribed", "one-click", "confirmed", T, "page", False),
        ("unsubscribed", "one-click", "confirmed", LATER, "api", False),
        ("unsubscribed", "one-click", "confirmed", LATER, "store:1", False),
        ("unsubscribed", "store:1", "confirmed", LATER, "store:1", True),
        ("unsubscribed", "store:1", "confirmed", LATER, "store:2", False),
        ("unsubscribed", "import:1", "confirmed", LATER, "import:1", False),
        # confirming
        ("unconfirmed", "page", "confirmed", LATER, "page", True),
        ("unconfirmed", "page", "confirmed", LATER, "store:1", True),
        ("unconfirmed", "page", "confirmed", LATER, "import:1", False),
        ("confirmed", "page", "unconfirmed", LATER, "page", False),
    ],
)
def test_the_rules(state: State, source: str, offered: State, at: datetime, by: str, accepted: bool) -> None:
    assert decide_consent(Consent(state, T, source), Consent(offered, at, by)) is accepted


def test_what_the_same_source_says_again_is_no_news() -> None:
    left = Consent("unsubscribed", T, "one-click")
    assert is_repeat(left, Consent("unsubscribed", LATER, "one-click"))
    assert not is_repeat(left, Consent("unsubscribed", LATER, "page"))
    assert not is_repeat(left, Consent("confirmed", LATER, "one-click"))


def test_the_first_word_counts() -> None:
    assert decide_consent(None, Consent("unsubscribed", EARLIER, "import:1"))


@given(CONSENTS, CONSENTS)
def test_no_sync_ever_brings_back_somebody_who_left_through_us(current: Consent, offered: Consent) -> None:
    if current.state == "unsubscribed" and not is_sync(current.source) and is_sync(offered.source):
        assert not decide_consent(current, offered)


@given(CONSENTS, CONSENTS)
def test_nothing_older_is_ever_accepted(current: Consent, offered: Consent) -> None:
    assert not (offered.at < current.at and decide_consent(current, offered))


@given(CONSENTS, CONSENTS)
def test_an_offer_accepted_once_is_not_accepted_again(current: Consent, offered: Consent) -> None:
    if decide_consent(current, offered):
        assert not decide_consent(offered, offered)


@given(
    st.permutations(
        [
            Consent("confirmed", EARLIER, "store:1"),
            Consent("unsubscribed", T, "store:1"),
            Consent("confirmed", LATER, "store:1"),
        ]
    )
)
def test_one_stores_words_end_the_same_in_any_order(words: list[Consent]) -> None:
    current: Consent | None = None
    for word in words:
        current = word if decide_consent(current, word) else current
    assert current is not None
    assert (current.state, current.at) == ("confirmed", LATER)


def test_a_clock_ahead_of_ours_is_set_back() -> None:
    assert (within_reason(LATER, T), within_reason(EARLIER, T)) == (T, EARLIER)
