"""Time zones as a list to choose from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
Group = tuple[str, list[tuple[str, str]]]


@cache
def _regions() -> list[Group]:
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    return [
        (region, [(name, zone_label(name)) for name in group])
        for region, group in groupby(names, key=lambda name: name.partition("/")[0])
    ]


def zone_label(name: str) -> str:
    """Return a zone's name as people write places: America/New_York becomes New York (America)."""
    region, _, place = name.partition("/")
    return f"{place.replace('_', ' ')} ({region})" if place else name


def zone_choices(*, suggested: Iterable[str]) -> list[Group]:
    """Return grouped choices for a select, the suggested zones first, each once."""
    near = {name: zone_label(name) for name in suggested if name}
    regions = [(region, [zone for zone in zones if zone[0] not in near]) for region, zones in _regions()]
    return [("Suggested", list(near.items())), *regions]
