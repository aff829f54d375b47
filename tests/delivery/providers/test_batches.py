"""Cutting envelopes into calls, and halving a refused one."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from delivery.outcomes import Outcome, Result
from delivery.providers import ApiEnvelope
from delivery.providers.batches import Cut, Reply, cut, deliver, size_of
from tests.delivery.providers.conformance import envelope

BAD = "bad"


def server(log: list[int]) -> object:
    """A provider that refuses a call with a bad message in it as a whole."""

    def call(envelopes: Sequence[ApiEnvelope]) -> Reply:
        log.append(len(envelopes))
        if any(BAD in e.subject for e in envelopes):
            return Reply([Outcome(Result.REFUSED, text="no", reason="address") for _ in envelopes], refused_whole=True)
        return Reply([Outcome(Result.ACCEPTED, provider_id=e.key) for e in envelopes])

    return call


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy"), st.integers(0, 9000)), max_size=40))
def test_every_message_is_in_one_call_that_the_provider_takes(people: list[tuple[str, str, int]]) -> None:
    envelopes = [envelope(name, from_name=sender, html="h" * size) for name, sender, size in people]
    calls = list(cut(envelopes, Cut(4, 12_000, lambda e: e.from_name)))
    assert sorted(position for call in calls for position in call) == list(range(len(envelopes)))
    for call in calls:
        chosen = [envelopes[position] for position in call]
        assert len(chosen) <= 4
        assert len({e.from_name for e in chosen}) == 1
        assert len({e.recipient for e in chosen}) == len(chosen)
        assert len(chosen) == 1 or sum(map(size_of, chosen)) <= 12_000


@given(st.lists(st.booleans(), min_size=1, max_size=64))
def test_halving_finds_exactly_the_bad_messages(good: list[bool]) -> None:
    envelopes = [envelope(f"p{n}", subject="fine" if ok else BAD) for n, ok in enumerate(good)]
    outcomes = deliver(server([]), envelopes)  # type: ignore[arg-type]
    assert [outcome.result is Result.ACCEPTED for outcome in outcomes] == good
    assert [o.provider_id for o in outcomes if o.provider_id] == [
        e.key for e, ok in zip(envelopes, good, strict=True) if ok
    ]


def test_one_bad_message_in_a_thousand_costs_twenty_calls() -> None:
    log: list[int] = []
    envelopes = [envelope(f"p{n}", subject=BAD if n == 700 else "fine") for n in range(1000)]
    outcomes = deliver(server(log), envelopes)  # type: ignore[arg-type]
    assert sum(outcome.result is Result.ACCEPTED for outcome in outcomes) == 999
    assert len(log) == 21


def test_a_batch_that_fails_for_its_sender_is_not_halved_to_the_end() -> None:
    log: list[int] = []

    def call(envelopes: Sequence[ApiEnvelope]) -> Reply:
        log.append(len(envelopes))
        outcome = Outcome(Result.FAILED, code=400, text="From is not verified", reason="content")
        return Reply([outcome for _ in envelopes], refused_whole=True)

    outcomes = deliver(call, [envelope(f"p{n}") for n in range(512)])
    assert len(log) == 14
    assert {outcome.result for outcome in outcomes} == {Result.FAILED}
    assert outcomes[-1].reason == "settings"
    assert outcomes[-1].text == "From is not verified"


def test_halving_stops_when_the_provider_wants_a_rest() -> None:
    log: list[int] = []

    def call(envelopes: Sequence[ApiEnvelope]) -> Reply:
        log.append(len(envelopes))
        if len(log) == 1:
            return Reply([Outcome(Result.REFUSED, reason="address") for _ in envelopes], refused_whole=True)
        return Reply([Outcome(Result.DEFERRED, code=429, retry_after=7, reason="rate") for _ in envelopes])

    outcomes = deliver(call, [envelope(f"p{n}") for n in range(8)])
    assert log == [8, 4]
    assert {(outcome.result, outcome.retry_after) for outcome in outcomes} == {(Result.DEFERRED, 7)}


def test_an_uncertain_batch_is_never_sent_again() -> None:
    log: list[int] = []

    def call(envelopes: Sequence[ApiEnvelope]) -> Reply:
        log.append(len(envelopes))
        return Reply([Outcome(Result.UNCERTAIN) for _ in envelopes])

    outcomes = deliver(call, [envelope("alice"), envelope("bob")])
    assert log == [2]
    assert [outcome.result for outcome in outcomes] == [Result.UNCERTAIN, Result.UNCERTAIN]
