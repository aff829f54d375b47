"""What a receipt comes to: statements about messages, the events they make, and what follows from an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from delivery.events import NewEvent
from delivery.services.matching import Clue, SentMessage
from delivery.tracking.tokens import MessageRef

# A suppression for the address, or the contact leaves the campaign's lists.
HARD_BOUNCE, COMPLAINT, UNSUBSCRIBED = "hard_bounce", "complaint", "unsubscribed"


@dataclass(frozen=True, slots=True)
class Finding:
    """An event with its consequence: "" or one of the words above. `source` and `words` go into the evidence.

    `moment_is_ours`: the event named no moment of its own, so `occurred_at` is when we first heard of it.
    """

    event: NewEvent
    consequence: str = ""
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
