"""Progress as numbers that people can trust."""

from __future__ import annotations

import pytest

from campaigns.registry import FakeDelivery, ProgressLine, delivery, register_delivery
from delivery.port import Port


def test_a_hundred_percent_means_all() -> None:
    assert ProgressLine(n_total=1000, n_done=999).percent == 99
    assert ProgressLine(n_total=1000, n_done=1000).percent == 100
    assert ProgressLine().percent == 0


def test_rates_are_of_what_was_delivered() -> None:
    line = ProgressLine(n_total=100, n_done=100, n_accepted=90, n_bounced=10, n_opened=40, n_clicked=8)

    assert (line.n_delivered, line.open_rate, line.click_rate) == (80, 50.0, 10.0)


def test_there_are_no_rates_before_anything_is_delivered() -> None:
    assert (ProgressLine(n_total=5).open_rate, ProgressLine(n_total=5).click_rate) == (None, None)


def test_delivery_has_registered_itself_at_start_up() -> None:
    assert isinstance(delivery(), Port)


@pytest.mark.usefixtures("delivery")
def test_the_last_one_registered_answers() -> None:
    fake = FakeDelivery()
    register_delivery(fake)

    assert delivery() is fake


def test_nobody_registered_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.registry._ports", [])

    with pytest.raises(LookupError, match="No delivery is registered"):
        delivery()
