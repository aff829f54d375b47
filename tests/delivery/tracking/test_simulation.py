"""The rules against simulated traffic with known truth: exact counts, so that a rule that changes shows its price."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from delivery.tracking import crowds
from delivery.tracking.simulation import Line, render_table, score_traffic


def test_the_counts_of_the_seeded_simulation() -> None:
    score = score_traffic(n_messages=400, seed=1)
    assert score.lines == [
        Line("People", found=0, missed=0, kept=996, wronged=3),
        Line("People in Gmail", found=95, missed=0, kept=1020, wronged=12),
        Line("Apple Mail Privacy", found=400, missed=0, kept=141, wronged=0),
        Line("SafeLinks-like", found=2616, missed=133, kept=100, wronged=0),
        Line("Mimecast-like", found=5103, missed=0, kept=117, wronged=0),
        Line("Lone disguised scanner", found=196, missed=204, kept=0, wronged=0),
        Line("Gateway of an office", found=400, missed=0, kept=40, wronged=0),
        Line("People of an office", found=0, missed=0, kept=556, wronged=0),
        Line("People behind a carrier", found=0, missed=0, kept=400, wronged=0),
    ]
    assert (score.total.precision, score.total.recall) == (0.9983, 0.9632)


def test_an_offices_gateway_is_found_by_its_sweeps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "CROWD_RULES", ())
    score = score_traffic(n_messages=400, seed=1)
    assert score.lines[6] == Line("Gateway of an office", found=0, missed=400, kept=40, wronged=0)
    assert (score.total.precision, score.total.recall) == (0.9982, 0.9194)


def test_no_kind_of_traffic_costs_people_their_clicks() -> None:
    score = score_traffic(n_messages=300, seed=2)
    assert score.total.wronged <= 0.02 * (score.total.wronged + score.total.kept)
    assert all((line.precision or 1) >= 0.99 for line in score.lines if line.found)


def test_the_command_prints_the_table_and_json() -> None:
    text, numbers = StringIO(), StringIO()
    call_command("bench", "verdicts", "--messages", "20", stdout=text)
    call_command("bench", "verdicts", "--messages", "20", "--json", stdout=numbers)
    score = score_traffic(n_messages=20, seed=1)
    assert text.getvalue() == render_table(score)
    assert json.loads(numbers.getvalue()) == json.loads(json.dumps(score.as_json()))


def test_the_table_in_the_documents_is_what_the_command_prints() -> None:
    page = Path(__file__).parents[3] / "docs" / "tracking.md"
    assert render_table(score_traffic(n_messages=400, seed=1)) in page.read_text()
