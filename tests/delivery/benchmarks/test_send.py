"""What `bench send` says: the keys that scripts read, ratios within pairs, and accounts that add up."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from delivery.benchmarks.campaign import Sent
from delivery.benchmarks.fixture import Shape
from delivery.benchmarks.plain import plain_message, plain_newsletter
from delivery.benchmarks.processes import SinkCount
from delivery.benchmarks.provider import Options as ProviderOptions
from delivery.benchmarks.provider import expected_rate
from delivery.benchmarks.send import Options, Result
from delivery.benchmarks.wire import wire_bytes
from delivery.progress import Progress

CPU = {"plan": 3.0, "claim": 5.0, "fill": 30.0, "smtp": 20.0, "flush": 9.0, "celery": 3.0, "postgres": 10.0}
RUN = Sent(
    n_messages=1000,
    seconds=0.2,
    plan_seconds=0.05,
    cpu_us=CPU,
    peak_rss_mb=120.04,
    states=Progress(accepted=999, uncertain=1),
    n_twice=0,
    ceiling=10_000.0,
    plain=250.0,
)


def result_of(*runs: Sent, **fields: Any) -> dict[str, Any]:
    return Result(Options(), list(runs), wire_bytes=50_000, **fields).as_json()


def test_the_keys_that_scripts_read() -> None:
    assert result_of(RUN) == {
        "msgs_per_s": 5000,
        "ceiling_msgs_per_s": 10_000,
        "plain_msgs_per_s": 250,
        "ratio_to_ceiling": 0.5,
        "ratio_to_plain": 20.0,
        "pairs": 1,
        "cpu_us_per_message": {**CPU, "total": 80.0},
        "bookkeeping_share": 0.375,
        "wire_bytes": 50_000,
        "plan_s": 0.05,
        "peak_rss_mb": 120.0,
        "accepted": 999,
        "lost": 0,
        "duplicates": 0,
        "uncertain": 1,
    }


def test_ratios_are_medians_of_pairs_and_not_ratios_of_medians() -> None:
    slow = dataclasses.replace(RUN, seconds=0.4, ceiling=2_500.0)
    slower = dataclasses.replace(RUN, seconds=1.0, ceiling=1_250.0)

    assert result_of(RUN, slow, slower)["ratio_to_ceiling"] == 0.8


def test_what_the_sink_did_not_get_is_lost_and_what_it_got_twice_is_told() -> None:
    told = result_of(RUN, n_warm_up=999, received=SinkCount(n_messages=1990, n_twice=2))

    assert (told["lost"], told["duplicates"]) == (8, 2)


def test_what_ended_in_no_state_is_lost() -> None:
    assert result_of(dataclasses.replace(RUN, states=Progress(accepted=990, sending=10)))["lost"] == 10


def test_a_round_trip_per_message_is_one() -> None:
    far = Result(Options(connections=20, rtt_ms=50), [dataclasses.replace(RUN, seconds=2.5)])

    assert far.as_json()["ratio_to_round_trips"] == 1.0


@pytest.mark.parametrize(
    ("connections", "batch", "rate", "expected"),
    [
        (10, 1, 0, 200.0),
        (10, 1, 100, 100.0),
        (1000, 1, 0, 2000.0),  # the journal's window: 100 calls at once
        (10, 10, 0, 2000.0),  # ten calls of ten
        (10, 2.5, 0, 500.0),
    ],
)
def test_what_a_provider_allows_at_best(connections: int, batch: float, rate: int, expected: float) -> None:
    options = ProviderOptions("x", Shape(1, 10, 5), connections, 1, 50.0, rate, 1, 60.0)

    assert expected_rate(options, batch) == expected


@pytest.mark.django_db
def test_the_plain_reference_sends_the_same_letter() -> None:
    shape = Shape(1, 40, 20)

    message = plain_message(plain_newsletter(shape), 7, "reader7@example.org")
    page = str(message.alternatives[0][0])

    assert page.count('href="https://go.bench.example/c/') == 20
    assert "{%" not in page + str(message.body)
    assert "Hello Ada 7 Lovelace" in page
    # The engine's quoted-printable takes a tenth more than 8-bit text.
    assert 0.8 < len(message.message().as_bytes()) / wire_bytes(shape) < 1.0
