"""Calls to a provider's API: as many at once as wanted, full while others are under way, on the terms of the limits."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from redis import Redis

from delivery.models import ProviderAccount
from delivery.outcomes import Outcome, Result
from delivery.providers import PROVIDERS
from delivery.providers.contract import ApiEnvelope, Capabilities, Content
from delivery.sending.api_pool import SPARE_CALLS, ApiPool, Letter, Terms, messages_per_call
from delivery.sending.places import CallPlaces
from delivery.smtp.verdicts import RECALLED

SENT = Outcome(Result.ACCEPTED, code=200)


class HeldProvider:
    """Answers a call when the test says so."""

    def __init__(self, batch_max: int) -> None:
        self.capabilities = Capabilities(Content.FREE_HTML, per_recipient_headers=True, batch_max=batch_max)
        self.sizes: list[int] = []
        self._begun = threading.Semaphore(0)
        self._answers = threading.Semaphore(0)

    def send(self, envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
        self.sizes.append(len(envelopes))
        self._begun.release()
        assert self._answers.acquire(timeout=30)
        return [SENT] * len(envelopes)

    async def begun(self, n: int) -> None:
        """Returns when so many more calls are under way."""
        for _ in range(n):
            assert await asyncio.to_thread(self._begun.acquire, timeout=30)

    def answer(self, n: int) -> None:
        self._answers.release(n)

    def close(self) -> None:
        """Nothing is open."""


class Desk:
    """What the drain is to a pool: letters, and where their outcomes go."""

    def __init__(self, n_letters: int) -> None:
        self.letters: deque[Any] = deque(Letter(i, None) for i in range(n_letters))  # type: ignore[arg-type]
        self.settled: dict[int, Outcome] = {}

    def pool(self, provider: HeldProvider, terms: Terms | None = None) -> ApiPool:
        return ApiPool(
            provider,  # type: ignore[arg-type]
            feed=lambda: self.letters.popleft() if self.letters else None,
            settle=self.settled.__setitem__,
            on_trouble=lambda text, cause: None,
            terms=terms or Terms(lambda n: len(self.letters) >= n),
        )


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_main(test), 60))


async def _main(test: Callable[[], Awaitable[None]]) -> None:
    await test()


@pytest.mark.parametrize(
    ("batch_max", "n_calls", "full_calls", "n"),
    [
        (1, 10, False, 1),
        (100, 10, False, 10),
        (1000, 20, False, 5),
        (100, 1, False, 50),
        (100, 10, True, 50),
        (20, 10, True, 20),
    ],
)
def test_calls_at_once_share_the_journals_window(batch_max: int, n_calls: int, full_calls: bool, n: int) -> None:
    assert messages_per_call(batch_max, n_calls, full_calls=full_calls) == n


def test_as_many_calls_are_under_way_as_are_wanted_and_no_more() -> None:
    async def test() -> None:
        provider, desk = HeldProvider(1), Desk(20)
        pool = desk.pool(provider)
        pool.open(4)
        await provider.begun(4)
        assert (pool.n_connections, pool.most_calls()) == (4, 4)
        assert pool.in_flight() == 4 + SPARE_CALLS
        assert provider.sizes == [1] * 4
        provider.answer(20)
        await pool.idle()
        await pool.close()
        assert desk.settled == dict.fromkeys(range(20), SENT)

    run(test)


def test_more_calls_are_under_way_when_a_measure_has_ended() -> None:
    async def test() -> None:
        provider, desk = HeldProvider(1), Desk(30)
        pool = desk.pool(provider)
        pool.open(1)
        await provider.begun(1)
        pool.open(6)
        await provider.begun(5)
        provider.answer(30)
        await pool.idle()
        await pool.close()
        assert len(desk.settled) == 30

    run(test)


def test_a_call_waits_until_it_is_full_while_another_is_under_way() -> None:
    async def test() -> None:
        provider, desk = HeldProvider(50), Desk(13)
        pool = desk.pool(provider)
        pool.open(10)
        await provider.begun(1)
        assert provider.sizes == [10]
        assert len(desk.letters) == 3
        desk.letters.extend(Letter(i, None) for i in range(13, 20))  # type: ignore[arg-type]
        pool.wake()
        await provider.begun(1)
        desk.letters.append(Letter(20, None))  # type: ignore[arg-type]
        pool.wake()
        provider.answer(2)
        await provider.begun(1)  # nobody else is under way: one letter need not wait for others
        provider.answer(1)
        await pool.idle()
        await pool.close()
        assert provider.sizes == [10, 10, 1]
        assert len(desk.settled) == 21

    run(test)


def test_what_waits_for_a_thread_can_be_taken_back() -> None:
    async def test() -> None:
        provider, desk = HeldProvider(1), Desk(9)
        pool = desk.pool(provider)
        pool.open(3)
        await provider.begun(3)
        desk.letters.clear()
        pool.recall(lambda _key: True)
        provider.answer(9)
        await pool.idle()
        await pool.close()
        assert provider.sizes == [1] * 3
        assert desk.settled == {0: SENT, 1: SENT, 2: SENT, 3: RECALLED, 4: RECALLED}

    run(test)


def test_no_call_begins_before_the_terms_allow_it_and_it_is_asked_again_then() -> None:
    async def test() -> None:
        provider, desk, answers = HeldProvider(1), Desk(1), deque([0.01, 0.01, 0.0])
        pool = desk.pool(provider, Terms(may_call=lambda _n: answers.popleft()))
        pool.open(2)
        assert (provider.sizes, pool.n_connections) == ([], 1)
        await provider.begun(1)
        provider.answer(1)
        await pool.idle()
        await pool.close()
        assert not answers
        assert desk.settled == {0: SENT}

    run(test)


@pytest.mark.django_db
def test_workers_share_an_accounts_calls_at_once_and_per_minute(redis: Redis) -> None:
    account = ProviderAccount.objects.create(name="r", kind="resend", max_connections=3, connections_per_minute=60)
    one, other = CallPlaces(redis, account), CallPlaces(redis, account)
    assert one.may_call(0) == 0.0
    assert 0 < other.may_call(0) <= 1.0  # one call a second, whoever makes it
    account.connections_per_minute = None
    one, other = CallPlaces(redis, account), CallPlaces(redis, account)
    assert one.may_call(0) == 0.0  # the third place of three: the two above hold theirs
    assert other.may_call(0) > 0
    one.renew(0)
    assert other.may_call(0) == 0.0


def test_resend_counts_calls() -> None:
    assert [quota.unit for quota in PROVIDERS["resend"].capabilities.quotas] == ["calls"]
