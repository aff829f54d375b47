"""Whose word on consent counts: the newest clock wins, and a machine never talks a person back in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["unconfirmed", "confirmed", "unsubscribed"]
# These repeat what another system believes; a person who left through us is not brought back by them.
SYNC_SOURCES = ("import:", "store:", "api")


@dataclass(frozen=True, slots=True)
class Consent:
    """The state of one contact on one list, since when by the source's clock, and who said so."""

    state: State
    at: datetime
    source: str


def is_sync(source: str) -> bool:
    """Whether a source repeats what another system believes, rather than what a person did here."""
    return source.startswith(SYNC_SOURCES)


def decide_consent(current: Consent | None, offered: Consent) -> bool:
    """Whether the offered consent replaces the current one.

    Leaving wins a tie of clocks; a sync that echoes a leaving of ours does not take it over. Coming back needs a newer
    clock, and from a sync it also needs that the same sync said the person had left; an import never brings anybody
    back.
    """
    if current is None:
        return True
    if offered.state == "unsubscribed":
        if current.state != "unsubscribed":
            return offered.at >= current.at
        return offered.at > current.at and (is_sync(current.source) or not is_sync(offered.source))
    if offered.at <= current.at or offered.state == "unconfirmed":
        return False
    if current.state == "confirmed":
        return True
    if offered.source.startswith("import:"):
        return False
    return current.state == "unconfirmed" or not is_sync(offered.source) or current.source == offered.source


def is_repeat(current: Consent, offered: Consent) -> bool:
    """Whether the offered consent says what is known already, by the same source: a later clock, and no news."""
    return (current.state, current.source) == (offered.state, offered.source)


def within_reason(occurred_at: datetime, now: datetime) -> datetime:
    """The clock of a source, never ahead of ours: a shop whose clock runs a year fast must not outrank a year of us."""
    return min(occurred_at, now)
