"""Cuts envelopes into calls that a provider takes, and halves a refused call until the bad message stands alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from delivery.outcomes import Outcome, Result

from .answers import halts
from .contract import ApiEnvelope

# A batch refused for something that all its messages share (an unverified sender) would be halved down to every
# single message; after this many equal refusals, none of them for an address and none accepted, the rest is not tried.
SAME_REFUSALS = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """How many messages and bytes one call may hold, and what they must have in common."""

    most: int
    most_bytes: int
    alike: Callable[[ApiEnvelope], Hashable]


def cut(envelopes: Sequence[ApiEnvelope], limits: Cut) -> Iterator[list[int]]:
    """Positions for each call, every position once; one address never stands twice in a call.

    Providers key a batch by address, so two messages to one person must not meet in it.
    """
    open_calls: dict[Hashable, list[_Call]] = {}
    for position, envelope in enumerate(envelopes):
        calls = open_calls.setdefault(limits.alike(envelope), [])
        call = next((call for call in calls if call.takes(envelope, limits)), None)
        if call is None:
            call = _Call()
            calls.append(call)
        call.add(position, envelope)
        if len(call.positions) == limits.most:
            calls.remove(call)
            yield call.positions
    for calls in open_calls.values():
        for call in calls:
            yield call.positions


class _Call:
    """A call being filled."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.size = 0
        self.addresses: set[str] = set()

    def takes(self, envelope: ApiEnvelope, limits: Cut) -> bool:
        """Whether this envelope still fits."""
        return envelope.recipient.lower() not in self.addresses and self.size + size_of(envelope) <= limits.most_bytes

    def add(self, position: int, envelope: ApiEnvelope) -> None:
        """Put the envelope in; a single one goes in whatever its size."""
        self.positions.append(position)
        self.size += size_of(envelope)
        self.addresses.add(envelope.recipient.lower())


def size_of(envelope: ApiEnvelope) -> int:
    """Roughly the bytes that a message adds to a JSON request: UTF-8 bodies, one byte in ten escaped, 1 kB around."""
    return int((len(envelope.html.encode()) + len(envelope.text.encode())) * 1.1) + 1_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A call's outcomes in order; `refused_whole`: the provider took none of them because of at least one."""

    outcomes: list[Outcome]
    refused_whole: bool = False


def deliver(call: Callable[[Sequence[ApiEnvelope]], Reply], envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
    """Outcomes for all envelopes; a wholly refused call is halved until what is bad stands alone."""
    return _Halving(call).run(list(envelopes))


class _Halving:
    """One batch's search for its bad messages, and its memory of equal refusals."""

    def __init__(self, call: Callable[[Sequence[ApiEnvelope]], Reply]) -> None:
        self._call = call
        self._refusals: list[str] = []
        self._accepted = False
        self._halted: Outcome | None = None

    def run(self, envelopes: list[ApiEnvelope]) -> list[Outcome]:
        """Try the envelopes together, then in halves."""
        if self._halted is not None:
            return [self._halted for _ in envelopes]
        if self._hopeless():
            return [self._not_tried() for _ in envelopes]
        reply = self._call(envelopes)
        if reply.refused_whole and len(envelopes) > 1:
            middle = len(envelopes) // 2
            return self.run(envelopes[:middle]) + self.run(envelopes[middle:])
        self._remember(reply.outcomes)
        return reply.outcomes

    def _remember(self, outcomes: Sequence[Outcome]) -> None:
        """Note what stands against the batch as a whole."""
        self._halted = next(filter(halts, outcomes), None)
        self._accepted = self._accepted or any(o.result is Result.ACCEPTED for o in outcomes)
        self._refusals += [o.text for o in outcomes if o.result is Result.FAILED]

    def _hopeless(self) -> bool:
        """Whether everything tried so far met the same refusal."""
        return not self._accepted and len(self._refusals) >= SAME_REFUSALS and len(set(self._refusals)) == 1

    def _not_tried(self) -> Outcome:
        """Nothing was sent: what the others met is about the account, not about this message."""
        return Outcome(Result.FAILED, text=self._refusals[0], reason="settings")
