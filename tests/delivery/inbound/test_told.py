"""A provider's word for a bounce and the server's words together: the milder one holds where both are clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.inbound.taxonomy import suppresses
from delivery.inbound.told import judge_told

GONE = "550 5.1.1 <erin@gone.example>: user unknown"


@pytest.mark.parametrize(
    ("kind", "told", "words", "category", "rule"),
    [
        ("bounced", "hard", GONE, "invalid_recipient", "user-unknown"),
        ("bounced", "hard", "", "invalid_recipient", "provider-hard"),
        ("bounced", "hard", "554 qwertz", "invalid_recipient", "provider-hard"),
        ("bounced", "hard", "550 5.7.1 Message refused", "policy", ""),
        ("bounced", "hard", "552 5.2.2 mailbox full", "quota", ""),
        ("bounced", "hard", "550 5.7.1 blocked using zen.spamhaus.org", "spam_block", ""),
        ("bounced", "soft", GONE, "unclassified", "provider-soft/user-unknown"),
        ("bounced", "soft", "", "unclassified", "provider-soft"),
        ("bounced", "soft", "452 4.2.2 over quota", "quota", ""),
        ("bounced", "block", "", "policy", "provider-block"),
        ("bounced", "block", GONE, "policy", "provider-block/user-unknown"),
        ("bounced", "", GONE, "invalid_recipient", "user-unknown"),
        ("bounced", "", "", "unclassified", "none"),
        ("deferred", "soft", "451 4.7.1 greylisted", "greylist", ""),
        ("rejected", "hard", "suppress-bounce", "invalid_recipient", "provider-rejected-hard"),
        ("rejected", "", "unsubscribed earlier", "policy", "provider-rejected-own-rules"),
    ],
)
def test_both_are_heard(kind: str, told: str, words: str, category: str, rule: str) -> None:
    verdict = judge_told(kind, told, words).verdict
    assert verdict.category == category
    assert verdict.rule_id == rule or not rule


def test_the_codes_in_the_words_are_kept() -> None:
    told = judge_told("bounced", "hard", GONE)
    assert (told.code, told.enhanced) == (550, "5.1.1")


@given(
    told=st.sampled_from(["soft", "block"]), words=st.text(max_size=200), kind=st.sampled_from(["bounced", "deferred"])
)
def test_what_a_provider_calls_soft_or_a_block_never_ends_an_address(told: str, words: str, kind: str) -> None:
    assert not suppresses(judge_told(kind, told, words).verdict.category)


@given(told=st.sampled_from(["hard", "soft", "block", ""]), code=st.sampled_from([550, 554, 571]))
def test_a_generic_5_7_1_never_ends_an_address(told: str, code: int) -> None:
    assert not suppresses(judge_told("bounced", told, f"{code} 5.7.1 Message rejected").verdict.category)
