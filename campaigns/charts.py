"""Charts as values: what components/chart.html draws and, for readers without a script or sight, tabulates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Series:
    """One line or set of bars; `values` are as many as the chart has labels."""

    name: str
    values: Sequence[int | float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time or categories, with up to four series. `id` is unique on its page."""

    id: str
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Literal["line", "bar"] = "line"
    label_name: str = "Time"

    @property
    def data_id(self) -> str:
        """The id of the JSON element."""
        return f"{self.id}-data"

    @property
    def columns(self) -> list[str]:
        """Column titles of the table."""
        return [self.label_name, *(series.name for series in self.series)]

    @property
    def rows(self) -> list[list[str | int | float]]:
        """Rows of the table: the label, then one value per series."""
        return [[label, *(series.values[at] for series in self.series)] for at, label in enumerate(self.labels)]

    @property
    def as_data(self) -> dict[str, Any]:
        """What the script reads."""
        series = [{"name": one.name, "values": list(one.values)} for one in self.series]
        return {"kind": self.kind, "labels": list(self.labels), "series": series}
