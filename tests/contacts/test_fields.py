"""Typed fields: what a cell or a JSON value becomes, or why it cannot be kept."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.countries import country_code
from contacts.fields import CONVERTERS, CUSTOM, FieldError, convert_custom, to_moment
from contacts.patches import split_name


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("number", "12", 12),
        ("number", "-12.50", -12.5),
        ("number", "1,234,567.5", 1234567.5),
        ("number", "12,5", 12.5),
        ("date", "2026-1-31", "2026-01-31"),
        ("date", "2026/01/31 10:00", "2026-01-31"),
        ("date", "31.01.2026", "2026-01-31"),
        ("date", "2026年1月31日", "2026-01-31"),
        ("boolean", "Yes", True),
        ("boolean", "否", False),
        ("list", "a, b;c|a，d", ["a", "b", "c", "d"]),
        ("text", "王小明 🎉", "王小明 🎉"),
    ],
)
def test_cells_become_values(kind: str, raw: str, value: Any) -> None:
    assert CUSTOM[kind](raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("number", "many"),
        ("number", "nan"),
        ("number", "1e400"),
        ("number", "1,23,4"),
        ("date", "03/04/2026"),
        ("date", "2026-02-30"),
        ("date", "soon"),
        ("boolean", "perhaps"),
        ("list", ",".join(map(str, range(101)))),
        ("text", "x" * 5001),
    ],
)
def test_cells_that_cannot_be_kept_have_a_reason(kind: str, raw: str) -> None:
    with pytest.raises(FieldError, match=r"\.$"):
        CUSTOM[kind](raw)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("number", 3.0, 3),
        ("number", "3", 3),
        ("boolean", False, False),
        ("list", ["a", 1, "a"], ["a", "1"]),
        ("text", 5, "5"),
        ("text", " ", None),
        ("date", None, None),
    ],
)
def test_json_values_become_values(kind: str, value: Any, kept: Any) -> None:
    assert convert_custom(kind, value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", True), ("boolean", 1), ("list", [{}]), ("text", {}), ("date", 20260131), ("list", [0] * 101)],
)
def test_json_values_of_another_kind_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(FieldError):
        convert_custom(kind, value)


@given(st.sampled_from(sorted(CUSTOM)), st.text(min_size=1))
def test_any_text_is_kept_as_json_or_refused(kind: str, raw: str) -> None:
    with suppress(FieldError):
        json.dumps(CUSTOM[kind](raw), allow_nan=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"),
        ("de", "DE"),
        (" 中国 ", "CN"),
        ("USA", "US"),
        ("Côte d'Ivoire", "CI"),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_countries_by_name_or_code(text: str, code: str | None) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("first_name", "Anna\r\n Maria", "Anna Maria"),
        ("phone", "'+49301234", "+49301234"),
        ("locale", "zh_Hans", "zh-Hans"),
        ("timezone", "Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_standard_fields_are_tidied(name: str, raw: str, value: str) -> None:
    assert CONVERTERS[name](raw) == value


@pytest.mark.parametrize(
    ("name", "raw"), [("timezone", "Berlin"), ("locale", "german!"), ("city", "x" * 151), ("country", "?")]
)
def test_standard_fields_refuse_what_they_cannot_hold(name: str, raw: str) -> None:
    with pytest.raises(FieldError):
        CONVERTERS[name](raw)


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Alice Smith", ("Alice", "Smith")),
        ("Mary Ann Smith", ("Mary Ann", "Smith")),
        ("王小明", ("王小明", "")),
        (" ", ("", "")),
    ],
)
def test_full_names_are_cut_at_the_last_space(full: str, parts: tuple[str, str]) -> None:
    assert split_name(full) == parts


def test_moments_are_aware_and_utc_without_a_zone() -> None:
    expected = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    for raw in ("2026-01-31 14:05:00", "2026/01/31 14:05", "2026-01-31T15:05:00+01:00", "2026-01-31 14:05:00 UTC"):
        assert to_moment(raw) == expected
    with pytest.raises(FieldError):
        to_moment("last week")
