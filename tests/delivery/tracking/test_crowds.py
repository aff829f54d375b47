"""Sweeps: one network and many people of one company; who is caught, who is not, to the second and to the person."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.tracking.crowds import is_somebodys, own_domain, spans
from delivery.tracking.hits import Hit
from delivery.tracking.verdicts import judge
from tests.delivery.tracking.factories import make_hit

ACME = "acme.example"
SWEPT, PERSON = "domain-sweep", ""


def click(person: int, at: float, **values: Any) -> Hit:
    return make_hit(contact_id=person, at=1000.0 + at, **values)


def reasons(hits: list[Hit], domain: str = ACME, **others: str) -> list[str]:
    """Everybody is at `domain`, but for the people (p7="beta.example") that are named."""
    domains = {hit.contact_id: others.get(f"p{hit.contact_id}", domain) for hit in hits}
    own = {contact: found for contact, text in domains.items() if (found := own_domain(text))}
    return [verdict.reason for verdict in judge(hits, sent_at={}, n_links={7: 20}, domains=own)]


def test_five_people_of_one_company_in_ten_seconds_are_a_sweep_from_its_first_click_on() -> None:
    assert reasons([click(n, 2.5 * n) for n in range(5)]) == [SWEPT] * 5
    assert reasons([click(n, 2.5 * n + n // 4 / 10) for n in range(5)]) == [PERSON] * 5  # 10.1 seconds
    assert reasons([click(n, 2.0 * n) for n in range(4)]) == [PERSON] * 4


def test_one_person_that_clicks_five_times_is_no_crowd() -> None:
    assert reasons([click(1, 2.1 * n, link=0) for n in range(5)]) == [PERSON] * 5


def test_another_network_another_company_and_another_campaign_do_not_count() -> None:
    four = [click(n, n) for n in range(4)]
    assert reasons([*four, click(4, 4, network="198.51.100.0/24")]) == [PERSON] * 5
    assert reasons([*four, click(4, 4)], p4="beta.example") == [PERSON] * 5
    assert reasons([*four, click(4, 4, campaign_id=8)]) == [PERSON] * 5
    assert reasons([*four, make_hit("opened", contact_id=4, at=1004.0)]) == [PERSON] * 5
    assert reasons([*four, click(4, 4, user_agent="another program")]) == [SWEPT] * 5


def test_a_click_a_while_after_the_sweep_is_a_persons() -> None:
    assert reasons([*[click(n, n) for n in range(5)], click(2, 14.1)]) == [*[SWEPT] * 5, PERSON]


def test_twelve_people_in_a_minute_with_one_program_are_a_sweep_with_many_they_are_not() -> None:
    assert reasons([click(n, 5.4 * n) for n in range(12)]) == ["agent-sweep"] * 12
    assert reasons([click(n, 5.4 * n, user_agent=f"Firefox/{n % 2}") for n in range(12)]) == [PERSON] * 12


def test_24_people_in_two_minutes_are_a_sweep_whatever_they_name_themselves() -> None:
    assert reasons([click(n, 5.2 * n, user_agent=f"Firefox/{n % 3}") for n in range(24)]) == ["slow-sweep"] * 24
    assert reasons([click(n, 5.3 * n, user_agent=f"Firefox/{n % 3}") for n in range(23)]) == [PERSON] * 23


def test_an_office_of_500_behind_one_address_stays_people_at_the_pace_of_people() -> None:
    assert reasons([click(n, 12.0 * n) for n in range(50)]) == [PERSON] * 50


@pytest.mark.parametrize("domain", ["gmail.com", "qq.com", "163.com", "hotmail.fr", "yahoo.co.uk", "t-online.de"])
def test_readers_at_a_mailbox_provider_behind_one_carrier_are_strangers(domain: str) -> None:
    assert reasons([click(n, n / 10) for n in range(40)], domain) == [PERSON] * 40


@pytest.mark.parametrize(
    "network", ["", "10.1.2.0/24", "127.0.0.0/24", "192.168.7.0/24", "100.64.3.0/24", "fd00:1:2::/48", "::/48", "odd"]
)
def test_a_network_that_is_nobodys_makes_no_sweep(network: str) -> None:
    assert not is_somebodys(network)
    assert reasons([click(n, n / 10, network=network) for n in range(40)]) == [PERSON] * 40


def test_a_network_of_the_newer_kind_sweeps_too() -> None:
    assert reasons([click(n, n, network="2a02:8388:1::/48") for n in range(5)]) == [SWEPT] * 5


@given(st.permutations(range(7)))
def test_the_order_of_arrival_changes_no_verdict(order: list[int]) -> None:
    hits = [*[click(n, n) for n in range(5)], click(5, 30.0), click(6, 31.0)]
    found = dict(zip(order, reasons([hits[n] for n in order]), strict=True))
    assert [found[n] for n in range(7)] == [SWEPT] * 5 + [PERSON] * 2


def test_neighbours_are_looked_for_once_where_clicks_are_near_each_other() -> None:
    hits = [click(1, 0), click(2, 100), click(3, 340), click(4, 581), click(5, 0, network="198.51.100.0/24")]
    assert spans(hits) == [
        (7, "192.0.2.0/24", 880.0, 1460.0),
        (7, "192.0.2.0/24", 1461.0, 1701.0),
        (7, "198.51.100.0/24", 880.0, 1120.0),
    ]
