"""Beat goes on when the clock is set back or forward."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.beat import ScheduleEntry

from deploy.celery import app as product
from deploy.ticks import Clockwork, Tick


class Recorded(Clockwork):
    """Counts what it would have sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: Counter[str] = Counter()
        super().__init__(*args, **kwargs)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        self.sent[str(entry.name)] += 1


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-30), timedelta(days=30)])
def test_every_tick_comes_after_the_clock_jumped(jump: timedelta) -> None:
    app = Celery("test", broker="memory://")
    app.conf.beat_schedule = {
        "often": {"task": "often", "schedule": Tick(0.01)},
        "seldom": {"task": "seldom", "schedule": Tick(0.02)},
    }
    beat = Recorded(app=app)
    ticks(beat, 3)
    with time_machine.travel(datetime.now(UTC) + jump, tick=True):
        before = Counter(beat.sent)
        ticks(beat, 5)
        sent = beat.sent - before
    assert sent["seldom"] >= 2
    assert sent["often"] >= 4


def ticks(beat: Clockwork, n: int) -> None:
    """Until 0.02 s have gone by n times."""
    until = time.monotonic() + 0.02 * n
    while time.monotonic() < until:
        time.sleep(min(0.005, max(0.0, float(beat.tick() or 0))))


def test_the_product_ticks_that_way() -> None:
    assert product.conf.beat_scheduler == "deploy.ticks:Clockwork"
    assert {type(entry["schedule"]) for entry in product.conf.beat_schedule.values()} == {Tick}
