"""Beat on the monotonic clock: Celery's own compares wall times and stops for as long as they are set back."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedstate, schedule
from typing_extensions import override


class Tick(schedule):
    """Due at once, and then every so many seconds; when it last ran by the wall clock does not matter."""

    def __init__(self, seconds: float, *args: Any, **kwargs: Any) -> None:
        super().__init__(seconds, *args, **kwargs)
        self._seconds = seconds
        self._due = time.monotonic()

    @override
    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it is due now, and the seconds until it is."""
        now = time.monotonic()
        if now < self._due:
            return schedstate(False, self._due - now)
        self._due = now + self._seconds
        return schedstate(True, self._seconds)


class Clockwork(Scheduler):
    """Keeps its timetable in memory, in order of monotonic times; a lost or double tick is harmless."""

    def _when(self, _entry: ScheduleEntry, next_time_to_run: Any, _mktime: Any = None) -> float:
        return time.monotonic() + float(self.adjust(next_time_to_run) or 0)
