"""Verdicts: each rule on a hit of its own, and what clicks of one message say together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.tracking.hits import Hit
from delivery.tracking.rules import CROWD_RULES, GROUP_RULES, RULES, VERSION, WHY
from delivery.tracking.verdicts import Verdict, judge

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135"
    " Safari/537.36 Edge/12.246 Mozilla/5.0"
)
APPLE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"


def hit(kind: str = "clicked", at: float = 1000.0, link: int | None = 0, **values: Any) -> Hit:
    defaults: dict[str, Any] = {
        "key": bytes(16),
        "campaign_id": 1,
        "contact_id": 2,
        "network": "192.0.2.0/24",
        "user_agent": CHROME,
        "method": "GET",
        "purpose": "",
    }
    return Hit(kind=kind, at=at, link_index=link, **(defaults | values))


def verdicts(*hits: Hit, sent_at: float | None = None, n_links: int = 0) -> list[tuple[str, str]]:
    times = {(1, 2): sent_at} if sent_at is not None else {}
    return [(one.verdict, one.reason) for one in judge(hits, sent_at=times, n_links={1: n_links})]


@pytest.mark.parametrize(
    ("one", "verdict", "reason"),
    [
        (hit(), "human", ""),
        (hit("opened"), "human", ""),
        (hit("opened", user_agent=GMAIL), "human", "gmail-proxy"),
        (hit("opened", user_agent="YahooMailProxy; https://help.yahoo.com/"), "human", "yahoo-proxy"),
        (hit("opened", user_agent=PREFETCH), "machine", "gmail-prefetch"),
        (hit("opened", user_agent="Mozilla/5.0"), "machine", "apple-privacy"),
        (hit("opened", user_agent=APPLE), "machine", "apple-privacy"),
        (hit("clicked", user_agent=APPLE), "human", ""),  # Mail's own browser view ends so, and Apple clicks nothing
        (hit("opened", label="apple"), "machine", "apple-egress"),
        (hit("clicked", label="apple"), "human", ""),  # iCloud Private Relay: a person's browser
        (hit("clicked", label="scanner"), "machine", "scanner-network"),
        (hit("opened", label="scanner"), "human", ""),  # Outlook on the web shows pictures through these
        (hit(method="HEAD"), "machine", "head-request"),
        (hit("opened", user_agent=GMAIL, method="HEAD"), "machine", "head-request"),
        (hit(user_agent=""), "machine", "no-user-agent"),
        (hit(purpose="prefetch;prerender"), "machine", "prefetch-header"),
        (hit(user_agent="BarracudaSentinel (EE)"), "machine", "scanner-agent"),
        (hit(user_agent="python-requests/2.32"), "machine", "scanner-agent"),
        (hit("honeypot", link=None), "machine", "honeypot"),
    ],
)
def test_a_hit_by_itself(one: Hit, verdict: str, reason: str) -> None:
    assert verdicts(one) == [(verdict, reason)]


def test_a_click_within_two_seconds_of_sending_is_a_machines() -> None:
    assert verdicts(hit(at=1001.9), sent_at=1000.0) == [("machine", "too-soon")]
    assert verdicts(hit(at=1002.1), sent_at=1000.0) == [("human", "")]


def test_three_links_within_two_seconds_are_a_burst_from_its_first_click_on() -> None:
    burst = [hit(at=1000.0, link=0), hit(at=1001.0, link=1), hit(at=1002.0, link=2)]
    assert verdicts(*burst, n_links=20) == [("machine", "click-burst")] * 3
    assert verdicts(*burst[:2], hit(at=1002.1, link=2), n_links=20) == [("human", "")] * 3
    assert verdicts(*burst, hit(at=1500.0, link=1), n_links=20)[3] == ("human", "")


def test_clicking_one_link_again_and_again_is_no_burst() -> None:
    assert verdicts(*[hit(at=1000 + i / 10, link=3) for i in range(9)], n_links=20) == [("human", "")] * 9


def test_both_links_of_a_message_at_once_are_all_links() -> None:
    both = [hit(at=1000.0, link=0), hit(at=1000.5, link=1)]
    assert verdicts(*both, n_links=2) == [("machine", "all-links")] * 2
    assert verdicts(*both, n_links=3) == [("human", "")] * 2


def test_the_only_link_of_a_message_is_not_all_links() -> None:
    assert verdicts(hit(at=1000.0), hit(at=1001.0), n_links=1) == [("human", "")] * 2


def test_a_slow_walk_through_nearly_all_links_is_a_sweep() -> None:
    walk = [hit(at=1000 + 12 * i, link=i) for i in range(5)]
    assert verdicts(*walk, n_links=6) == [("machine", "link-sweep")] * 5
    assert verdicts(*walk, n_links=7) == [("human", "")] * 5


def test_a_honeypot_taints_the_clicks_of_its_network_for_ten_minutes_either_way() -> None:
    found = verdicts(
        hit(at=400.0, link=0),
        hit("honeypot", at=1000.0, link=None),
        hit(at=1600.0, link=1),
        hit(at=1600.1, link=1),
        hit(at=1001.0, link=2, network="198.51.100.0/24"),
        n_links=20,
    )
    assert found == [
        ("machine", "after-honeypot"),
        ("machine", "honeypot"),
        ("machine", "after-honeypot"),
        ("human", ""),
        ("human", ""),
    ]


def test_one_message_says_nothing_about_another() -> None:
    hits = [hit(at=1000.0, link=0), hit(at=1000.1, link=1, contact_id=3), hit(at=1000.2, link=2, contact_id=4)]
    assert verdicts(*hits, n_links=3) == [("human", "")] * 3


@given(st.permutations(range(4)))
def test_the_order_of_arrival_changes_no_verdict(order: list[int]) -> None:
    burst = [hit(at=1000.0 + n, link=n) for n in range(3)] + [hit(at=1100.0, link=0)]
    found = judge([burst[n] for n in order], sent_at={}, n_links={1: 20})
    by_number = dict(zip(order, found, strict=True))
    assert [by_number[n] for n in range(4)] == [Verdict("machine", "click-burst")] * 3 + [Verdict("human")]


@given(st.lists(st.tuples(st.floats(0, 1e9), st.integers(0, 30)), max_size=30), st.text(max_size=20))
def test_every_hit_gets_one_verdict_with_a_reason_that_is_explained(
    clicks: list[tuple[float, int]], agent: str
) -> None:
    hits = [hit(at=at, link=link, user_agent=agent) for at, link in clicks]
    found = judge(hits, sent_at={}, n_links={1: 5})
    assert len(found) == len(hits)
    assert {one.reason for one in found} <= {"", *WHY}


def test_no_rule_is_newer_than_the_version_that_events_carry() -> None:
    assert max(rule.version for rule in (*RULES, *GROUP_RULES, *CROWD_RULES)) == VERSION
