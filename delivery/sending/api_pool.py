"""Sending through a provider's API: many calls in flight on threads, with the SMTP pool's contract with the drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from delivery.outcomes import Outcome, Result
from delivery.providers.contract import ApiEnvelope, Provider
from delivery.sending.channel import Cause

# Half the journal's window, so that one call never holds all that may be uncertain.
LARGEST_BATCH = 50


class Letter(NamedTuple):
    """An envelope with the drain's own key."""

    key: Any
    envelope: ApiEnvelope


class ApiPool:
    """At most n calls at once; each takes as many envelopes as the provider's batch allows."""

    def __init__(
        self,
        provider: Provider,
        *,
        feed: Callable[[], Letter | None],
        settle: Callable[[Any, Outcome], None],
        on_trouble: Callable[[str, Cause], None],
    ) -> None:
        self._provider = provider
        self._feed, self._settle, self._on_trouble = feed, settle, on_trouble
        self._batch_size = max(1, min(provider.capabilities.batch_max, LARGEST_BATCH))
        self._loop = asyncio.get_running_loop()
        self._n_wanted = 0
        self._calls: set[asyncio.Future[list[Outcome]]] = set()
        self._n_in_flight = 0
        self._threads: ThreadPoolExecutor | None = None

    @property
    def n_connections(self) -> int:
        """Calls under way."""
        return len(self._calls)

    def open(self, n: int) -> None:
        """At most `n` calls at once from now on."""
        self._n_wanted = n
        self.wake()

    def wake(self) -> None:
        """Calls are started while there is room and something to send."""
        while len(self._calls) < self._n_wanted:
            letters = self._pull()
            if not letters:
                return
            self._call(letters)

    def recall(self, is_recalled: Callable[[Any], bool]) -> None:
        """Nothing waits here: what is pulled is in a call already."""

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
        await self.idle()
        self._provider.close()
        if self._threads is not None:
            self._threads.shutdown()

    def _pull(self) -> list[Letter]:
        letters: list[Letter] = []
        while len(letters) < self._batch_size:
            letter = self._feed()
            if letter is None:
                break
            letters.append(letter)
        return letters

    def _call(self, letters: Sequence[Letter]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max(1, self._n_wanted), "provider")
        self._n_in_flight += len(letters)
        call = self._loop.run_in_executor(self._threads, self._provider.send, [letter.envelope for letter in letters])
        self._calls.add(call)
        call.add_done_callback(lambda ended: self._ended(letters, ended))

    def _ended(self, letters: Sequence[Letter], call: asyncio.Future[list[Outcome]]) -> None:
        self._calls.discard(call)
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
