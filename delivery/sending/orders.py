"""What the event loop and the ledger's thread tell each other in one exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery.sending.channel import Channel
from delivery.sending.lease import Lease, Settled


@dataclass(frozen=True, slots=True)
class Want:
    """A lease that could hand out more: where it stood, and the permits it held, at the same moment."""

    next_position: int
    n_permits: int


@dataclass
class Order:
    """What the event loop asks for. `room`: messages that may be journaled beyond what is open now."""

    channels: Sequence[Channel]
    write: dict[Lease, list[Settled]] = field(default_factory=dict)
    end: list[Lease] = field(default_factory=list)
    wants: dict[Lease, Want] = field(default_factory=dict)
    returned: list[tuple[Channel, Lease, int]] = field(default_factory=list)  # permits that were not used
    room: int = 0
    claim: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """No permit for a lease.

    `own`: its campaign or site stands in the way, so that other batches may go meanwhile. `used_up`: a day's quota, for
    which other accounts stand in; a rate only says when.
    """

    wait_s: float
    words: str
    own: bool
    campaign_wide: bool = False
    used_up: bool = False
    campaign_id: int = 0  # of a measure that holds for this campaign's mail to the site alone


@dataclass
class Report:
    """What became of an order."""

    begun: dict[Lease, int] = field(default_factory=dict)
    stopped: list[Lease] = field(default_factory=list)
    recalled: list[Lease] = field(default_factory=list)  # paused or cancelled: not even what waits to leave is sent
    ended: list[Lease] = field(default_factory=list)
    unmailable: dict[Lease, set[int]] = field(default_factory=dict)
    granted: dict[Lease, dict[Channel, int]] = field(default_factory=dict)
    refused: dict[Lease, Refused] = field(default_factory=dict)
    more_in_s: float = float("inf")  # fewer permits than wanted were granted: when asking again may give more
    withdrawn: list[tuple[Channel, Lease]] = field(default_factory=list)  # this account may not send after all
    claimed: Lease | None = None
    leases_held: bool = False
