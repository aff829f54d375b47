"""What the watchdog says: a value, and how it words times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Finding:
    """Why nothing moves: `kind` for tests and colours, `text` for people, `help` what they can do."""

    kind: str
    text: str
    help: str = ""


def clock(at: datetime) -> str:
    """A moment as people read it, with its zone."""
    return f"{timezone.localtime(at):%d %B, %H:%M} ({timezone.get_current_timezone_name()})"
