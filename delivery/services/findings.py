"""What a receipt comes to: statements about messages, the events they make, and what follows from an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from delivery.events import NewEvent
from delivery.inbound.classify import Verdict
from delivery.services.matching import Clue, SentMessage
from delivery.tracking.tokens import MessageRef


@dataclass(frozen=True, slots=True)
class Finding:
    """An event, and the verdict that decides on the address where it is final; `source` and `words` are evidence.

    `moment_is_ours`: the event named no moment of its own, so `occurred_at` is when we first heard of it.
    """

    event: NewEvent
    verdict: Verdict | None = None
    source: str = ""
    words: str = ""
    moment_is_ours: bool = False


class Statement(Protocol):
    """One thing that a receipt says about one message, named by our token or by the provider's id."""

    @property
    def ref(self) -> MessageRef | None:
        """The message, where our own token names it."""
        ...

    @property
    def clue(self) -> Clue | None:
        """The provider's name for it, where there is no token."""
        ...

    def finding(self, sent: SentMessage, received_at: datetime) -> Finding:
        """What it comes to, now that its message is known."""
        ...
