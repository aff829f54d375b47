"""Money and dates as shops print them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from campaigns.content.language import parse, render_template
from campaigns.content.money import money
from campaigns.content.slots import Untracked
from tests.campaigns.content.samples import NOW


@pytest.mark.parametrize(
    ("amount", "currency", "printed"),
    [
        (1234.5, "", "1,234.50"),
        ("1234.5", "EUR", "€1,234.50"),
        (-3, "USD", "-$3.00"),
        (99, "JPY", "¥99"),
        (5, "CHF", "5.00 CHF"),
        (5, "Fr. ", "Fr. 5.00"),
        (0, "GBP", "£0.00"),
        (None, "EUR", ""),
        ("", "EUR", ""),
    ],
)
def test_amounts(amount: object, currency: str, printed: str) -> None:
    assert money(amount, currency) == printed


@pytest.mark.parametrize("amount", ["twelve", "1e400", 10**15, "nan", [1]])
def test_what_is_no_amount(amount: object) -> None:
    with pytest.raises(ValueError, match="is not an amount of money"):
        money(amount)


def printed(source: str, value: Any) -> str:
    return render_template(parse(source, html=True), {"d": value, "now": NOW}, Untracked([]))


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-14",
        "2026-03-14T10:00:00Z",
        "2026-03-14 10:00:00 -0400",
        "2026-03-14 10:00:00 UTC",
        "Sat, 14 Mar 2026 10:00:00 +0000",
        "14 March 2026",
        "March 14, 2026",
        " 2026/03/14 ",
        1773446400,
        "1773446400",
        dt.date(2026, 3, 14),
        dt.datetime(2026, 3, 14, 23, 0, tzinfo=dt.UTC),
    ],
)
def test_dates_as_stores_write_them(value: object) -> None:
    assert printed("{{ d | date: '%-d %B %Y' }}", value) == "14 March 2026"


@pytest.mark.parametrize("value", ["soon", "", None, True, "12", "99999999999999"])
def test_what_is_no_date_comes_back_unchanged(value: object) -> None:
    unchanged = {None: "", True: "01.01.1970"}.get(value, value)  # type: ignore[call-overload]

    assert printed("{{ d | date: '%d.%m.%Y' }}", value) == unchanged


def test_now_is_what_the_context_says() -> None:
    assert (
        printed("{{ 'now' | date: '%Y' }} {{ 'today' | date: '%H:%M' }} {{ now | date: '%d' }}", "") == "2026 09:30 05"
    )


def test_a_format_is_escaped_like_any_text() -> None:
    assert printed("{{ '2026-01-01' | date: d }}", "<b>%Y</b>") == "&lt;b&gt;2026&lt;/b&gt;"
