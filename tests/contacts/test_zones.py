"""Time zones as a list to choose from."""

from __future__ import annotations

from contacts.zones import zone_choices, zone_label


def test_a_zone_is_named_as_people_write_places() -> None:
    assert zone_label("America/New_York") == "New York (America)"
    assert zone_label("America/Argentina/Buenos_Aires") == "Argentina/Buenos Aires (America)"
    assert zone_label("UTC") == "UTC"


def test_the_suggested_zones_come_first_and_each_zone_once() -> None:
    choices = zone_choices(suggested=("Europe/Berlin", "Europe/Berlin", "", "UTC"))

    assert choices[0] == ("Suggested", [("Europe/Berlin", "Berlin (Europe)"), ("UTC", "UTC")])
    names = [name for _, zones in choices for name, _ in zones]
    assert len(names) == len(set(names))
    assert "Asia/Shanghai" in names
