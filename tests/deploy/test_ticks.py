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
    tick_until(beat, Counter(often=1, seldom=1))
    with time_machine.travel(datetime.now(UTC) + jump, tick=True):
        tick_until(beat, beat.sent + Counter(often=4, seldom=2))


def tick_until(beat: Recorded, wanted: Counter[str]) -> None:
    """Until so many ticks were sent; a beat that waits for a clock to come back never gets there."""
    until = time.monotonic() + 5
    while not wanted <= beat.sent:
        assert time.monotonic() < until, beat.sent
        time.sleep(min(0.005, max(0.0, float(beat.tick() or 0))))


def test_the_product_ticks_that_way() -> None:
    assert product.conf.beat_scheduler == "deploy.ticks:Clockwork"
    assert {type(entry["schedule"]) for entry in product.conf.beat_schedule.values()} == {Tick}
