"""The demo's terminal: one line while a campaign runs, and a reason when it stands still."""

from __future__ import annotations

import pytest

from campaigns.models import Campaign
from delivery.progress import Progress
from deploy.demo import show
from deploy.demo.findings import Seen, differences, duplicates_of, lost_of, strangers_of
from deploy.demo.show import Pace, Trouble, line_of
from deploy.demo.terminal import bar, table


def test_the_line_says_how_far_it_is() -> None:
    campaign = Campaign(name="Spring", state="sending")
    progress = Progress(pending=5, accepted=70, deferred=20, refused=5)
    assert line_of(campaign, progress, 12.4) == (
        "“Spring” [██████████████████······]  75 %  70 accepted, 20 deferred, 5 refused  12/s"
    )


def test_a_paused_campaign_is_called_paused() -> None:
    line = line_of(Campaign(name="Spring", state="paused"), Progress(pending=9, accepted=1), 0)
    assert line == "“Spring” paused [██······················]  10 %  1 accepted  0/s"


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(accepted=9, deferred=1), "waiting for greylisting receivers"),
        (Progress(accepted=9, refused=1), "all done"),
        (Progress(accepted=9, deferred=1, pending=1), "0/s"),
    ],
)
def test_the_line_says_what_is_waited_for(progress: Progress, words: str) -> None:
    assert line_of(Campaign(name="Spring", state="sending"), progress, 0).endswith(f"  {words}")


def test_the_pace_is_that_of_the_last_five_seconds() -> None:
    pace = Pace()
    assert [pace.of(n, at) for at, n in ((0.0, 0), (2.0, 100), (6.0, 500), (11.0, 500))] == [0.0, 50.0, 100.0, 0.0]


def test_why_nothing_moves_is_said_once_after_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "why_not_moving", lambda _campaign_id: "No worker is alive.")
    said: list[str] = []
    trouble = Trouble(said.append)
    still = Progress(pending=10)
    for second in range(0, 40):
        trouble.look(1, still, float(second))
    assert said == ["  Nothing moves: No worker is alive."]


def test_while_it_moves_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "why_not_moving", lambda _campaign_id: "No worker is alive.")
    said: list[str] = []
    trouble = Trouble(said.append)
    for second in range(0, 40):
        trouble.look(1, Progress(pending=100 - second, accepted=second), float(second))
    assert said == []


def test_the_table_is_in_columns_for_wide_letters_too() -> None:
    assert table([("audience", "10,000", "in 70 s"), ("打开", "9", "")]) == [
        "  audience  10,000  in 70 s",
        "  打开           9",
    ]
    assert bar(0, 0) == "[························]   0 %"


def test_the_smoke_test_finds_the_lost_the_strangers_and_the_twice_mailed() -> None:
    seen = Seen({"a": 1, "b": 3}, {"e": 1}, {"c": 1}, {}, (), 0)
    assert lost_of({"a", "b", "c", "d"}, seen) == {"d"}
    assert duplicates_of(seen) == 2
    assert strangers_of({"a", "b", "c", "d"}, seen) == {"e"}
    assert differences({"accepted": (3, 4), "waiting": (0, 0)}) == ["accepted: 3 in the database, 4 in truth"]
