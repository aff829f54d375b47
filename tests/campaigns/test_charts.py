"""Charts as values: the script's data and the table say the same."""

from __future__ import annotations

from campaigns.charts import Chart, Series

CHART = Chart("growth", "Growth", ["Mon", "Tue"], [Series("Opens", [3, 5]), Series("Clicks", [1, 0])])


def test_the_table_has_a_row_per_label_and_a_column_per_series() -> None:
    assert CHART.columns == ["Time", "Opens", "Clicks"]
    assert CHART.rows == [["Mon", 3, 1], ["Tue", 5, 0]]


def test_the_scripts_data_is_plain() -> None:
    assert CHART.as_data == {
        "kind": "line",
        "labels": ["Mon", "Tue"],
        "series": [{"name": "Opens", "values": [3, 5]}, {"name": "Clicks", "values": [1, 0]}],
    }
    assert CHART.data_id == "growth-data"
