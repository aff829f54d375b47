"""A leased batch in a worker's memory: what was handed out, what came back, what is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from delivery.outcomes import Outcome

if TYPE_CHECKING:
    from delivery.mime import MessageBuilder
    from delivery.sending.channel import Channel
    from delivery.smtp.envelope import Envelope


class Person(NamedTuple):
    """One recipient of a batch, as read from the database."""

    position: int
    contact_id: int
    variant_id: int
    email: str  # empty where the person was erased since the freeze
    first_name: str
    last_name: str
    phone: str
    country: str
    city: str
    locale: str
    fields: bytes  # JSON, parsed when the message is built
    mailable: bool


class Settled(NamedTuple):
    """An outcome waiting to be written."""

    position: int
    contact_id: int
    account_id: int | None
    outcome: Outcome
    due_at: datetime | None = None  # of the next attempt, for deferred ones
    category: str = ""
    source_id: int | None = None
    same_source: bool = False  # a greylist remembers who asked first
    site: str | None = None  # where it is not the batch's: it goes on in a batch of that site


@dataclass(slots=True, eq=False)
class Lease:
    """A batch under a fenced lease.

    `n_begun` is the committed journal: no position at or above it may be handed to a connection.
    """

    batch_id: int
    campaign_id: int
    weight: int
    route_id: int
    site: str
    attempt: int
    fence: int
    n_messages: int
    n_begun: int
    launched_at: datetime
    expires_at: datetime
    messages_per_hour: int | None = None  # the campaign's own limit
    account_id: int | None = None  # greylisted mail: only this account and source may carry it
    source_id: int | None = None
    people: list[Person] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)  # token of each person, in order
    builders: dict[int, MessageBuilder] = field(default_factory=dict)  # by variant
    made: dict[int, Envelope | Outcome] = field(default_factory=dict)  # by position: made, not handed out yet
    next_position: int = 0  # the next one to hand out
    n_settled: int = 0
    n_written: int = 0
    permits: dict[Channel, int] = field(default_factory=dict)  # granted and not used yet
    detours: dict[int, str] = field(default_factory=dict)  # position to the limited site that it belongs to
    waits_until: float = 0.0  # monotonic: its own limit says so, others may go
    due_at: datetime | None = None  # not offered again before, if it is handed back now
    n_charged: int = 0  # of its messages, to the campaign's share of the route
    unwritten: list[Settled] = field(default_factory=list)
    seen_at: float = 0.0  # monotonic time before the last look that found its campaign sending
    stopped: bool = False  # campaign paused, cancelled, or the lease was lost
    start: int = 0

    def __post_init__(self) -> None:
        self.start = self.next_position = self.n_begun

    @property
    def n_open(self) -> int:
        """Messages journaled in this lease whose outcome is not written: uncertain if this process died now."""
        return self.n_begun - self.start - self.n_written

    @property
    def n_in_flight(self) -> int:
        """Messages handed out and not settled."""
        return self.next_position - self.start - self.n_settled

    @property
    def n_permits(self) -> int:
        """Permits that wait to be used."""
        return sum(self.permits.values())

    @property
    def handed_out(self) -> bool:
        """Nothing more will be handed out."""
        return self.stopped or self.next_position >= self.n_messages

    @property
    def settled(self) -> bool:
        """Everything that was or will be handed out has its outcome."""
        return self.handed_out and self.n_in_flight == 0
