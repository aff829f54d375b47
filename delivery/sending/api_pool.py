"""Sending through a provider's API: many calls in flight on threads, with the SMTP pool's contract with the drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from delivery.outcomes import Outcome, Result
from delivery.providers.contract import ApiEnvelope, Provider
from delivery.sending.channel import Cause
from delivery.sending.drain import WINDOW
from delivery.smtp.verdicts import RECALLED

# Half the journal's window, so that one call never holds all that may be uncertain.
LARGEST_BATCH = WINDOW // 2
# Calls of one message that wait for a thread: who has an answer goes on at once, whatever the event loop is doing.
SPARE_CALLS = 2


def messages_per_call(batch_max: int, n_calls: int, *, full_calls: bool) -> int:
    """How many messages one call takes at most, for `n_calls` at once.

    The journal's window is all that may be under way. Shared by all calls it is in flight nearly all the time; in two
    large calls half of it waits for rendering and the journal. Where calls are scarce (`full_calls`) they are full.
    """
    most = LARGEST_BATCH if full_calls else WINDOW // max(n_calls, 2)
    return max(1, min(batch_max, most))


class Letter(NamedTuple):
    """An envelope with the drain's own key."""

    key: Any
    envelope: ApiEnvelope


class Terms(NamedTuple):
    """On which terms calls may begin; `offers` and `may_call` are Channel's and CallPlaces'."""

    offers: Callable[[int], bool] = lambda _n: True
    may_call: Callable[[int], float] = lambda _n_under_way: 0.0
    full_calls: bool = False


class _Call(NamedTuple):
    """A call under way, or waiting for a thread."""

    letters: Sequence[Letter]
    work: Future[list[Outcome]]


class ApiPool:
    """At most n calls at once; each takes as many envelopes as there are, up to `messages_per_call`."""

    def __init__(
        self,
        provider: Provider,
        *,
        feed: Callable[[], Letter | None],
        settle: Callable[[Any, Outcome], None],
        on_trouble: Callable[[str, Cause], None],
        terms: Terms | None = None,
    ) -> None:
        self._provider = provider
        self._feed, self._settle, self._on_trouble = feed, settle, on_trouble
        self._terms = terms or Terms()
        self._loop = asyncio.get_running_loop()
        self._n_wanted = 0
        self._calls: dict[asyncio.Future[list[Outcome]], _Call] = {}
        self._n_most = 0  # calls at once since somebody asked
        self._n_in_flight = 0
        self._may_begin = False  # a call is granted and not used yet
        self._turn: asyncio.TimerHandle | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._n_threads = 0

    @property
    def n_connections(self) -> int:
        """Calls under way; one that only waits for its turn counts."""
        return self._n_calls or int(self._turn is not None)

    def most_calls(self) -> int:
        """How many were under way at once since this was asked last."""
        n, self._n_most = max(self._n_most, self._n_calls), self._n_calls
        return n

    @property
    def _n_calls(self) -> int:
        return min(len(self._calls), self._n_wanted)

    @property
    def _batch(self) -> int:
        return messages_per_call(
            self._provider.capabilities.batch_max, self._n_wanted, full_calls=self._terms.full_calls
        )

    def open(self, n: int) -> None:
        """At most `n` calls at once from now on."""
        self._n_wanted = n
        self.wake()

    def wake(self) -> None:
        """Calls are started while there is room and something to send.

        While others are under way a call waits until it is full (Nagle's rule, RFC 896): without it one small call
        makes the next one small, and for good.
        """
        spare = SPARE_CALLS if self._batch == 1 and self._n_wanted else 0
        while len(self._calls) < self._n_wanted + spare:
            if (self._calls and not self._terms.offers(self._batch)) or not self._granted():
                return
            letters = self._pull()
            if not letters:
                return
            self._may_begin = False
            self._call(letters)

    def _granted(self) -> bool:
        """Whether one more call may begin; if not now, it is asked again when it may."""
        if self._may_begin or self._turn is not None:
            return self._may_begin
        wait = self._terms.may_call(min(len(self._calls), self._n_wanted - 1))
        self._may_begin = not wait
        if wait:
            self._turn = self._loop.call_later(wait, self._ask_again)
        return self._may_begin

    def _ask_again(self) -> None:
        self._turn = None
        self.wake()

    def recall(self, is_recalled: Callable[[Any], bool]) -> None:
        """Calls that still wait for a thread are not made."""
        for call in list(self._calls.values()):
            if all(is_recalled(letter.key) for letter in call.letters):
                call.work.cancel()

    def in_flight(self) -> int:
        """Envelopes pulled and not settled."""
        return self._n_in_flight

    async def idle(self) -> None:
        """Returns when nothing is in flight."""
        while self._calls:
            await asyncio.wait(self._calls)

    async def close(self) -> None:
        """Every call has ended and the connections are dropped."""
        self._n_wanted = 0
        if self._turn is not None:
            self._turn.cancel()
        await self.idle()
        self._provider.close()
        if self._threads is not None:
            self._threads.shutdown()

    def _pull(self) -> list[Letter]:
        letters: list[Letter] = []
        most = self._batch
        while len(letters) < most:
            letter = self._feed()
            if letter is None:
                break
            letters.append(letter)
        return letters

    def _call(self, letters: Sequence[Letter]) -> None:
        self._n_in_flight += len(letters)
        envelopes = [letter.envelope for letter in letters]
        work = self._executor().submit(self._provider.send, envelopes)
        call = asyncio.wrap_future(work, loop=self._loop)
        self._calls[call] = _Call(letters, work)
        self._n_most = max(self._n_most, self._n_calls)
        call.add_done_callback(lambda ended: self._ended(letters, ended))

    def _executor(self) -> ThreadPoolExecutor:
        """A thread for each call at once: their number changes when a measure begins or ends."""
        if self._threads is None or self._n_threads != self._n_wanted:
            if self._threads is not None:
                self._threads.shutdown(wait=False)
            self._n_threads = max(1, self._n_wanted)
            self._threads = ThreadPoolExecutor(self._n_threads, "provider")
        return self._threads

    def _ended(self, letters: Sequence[Letter], call: asyncio.Future[list[Outcome]]) -> None:
        del self._calls[call]
        self._n_in_flight -= len(letters)
        outcomes = self._outcomes(letters, call)
        for text, cause in {(outcome.text, cause) for outcome in outcomes if (cause := _cause(outcome))}:
            self._on_trouble(text, cause)
        for letter, outcome in zip(letters, outcomes, strict=True):
            self._settle(letter.key, outcome)
        self.wake()

    @staticmethod
    def _outcomes(letters: Sequence[Letter], call: asyncio.Future[list[Outcome]]) -> list[Outcome]:
        """Providers never raise for what a server does; if one raises all the same, nobody knows what was sent."""
        if call.cancelled():
            return [RECALLED] * len(letters)
        problem = call.exception()
        if problem is None:
            return call.result()
        return [Outcome(Result.UNCERTAIN, text=f"{type(problem).__name__}: {problem}"[:500])] * len(letters)


def _cause(outcome: Outcome) -> Cause | None:
    """What an outcome says about the account; a call that failed is one failure, however many letters it carried."""
    if outcome.reason in ("credentials", "quota"):
        return Cause(outcome.reason)
    out_of_reach = outcome.result is Result.DEFERRED and not outcome.reason and not 0 < outcome.code < 500
    return Cause.CONNECTION if out_of_reach else None
