"""A body's shared beginning is hashed once, and every signature is the same as over the whole body."""

from __future__ import annotations

import hashlib

import pytest

from delivery.dkim import KeyKind, Signer, generate_key
from delivery.shared_start import WORTH_BYTES, SharedStart

BIG = b"x" * WORTH_BYTES
HEADERS = [(b"From", b" a@news.acme.example")]


def test_the_beginning_is_known_from_the_second_body_on() -> None:
    shared = SharedStart()
    greeting = b"Hello "
    bodies = [[BIG, greeting, name, b"\r\n"] for name in (b"Ada", b"Bob", b"Eve")]
    assert shared.start_of(bodies[0]) == (None, 0)
    for body in bodies[1:]:
        hashed, n_pieces = shared.start_of(body)
        assert n_pieces == 2
        assert hashed is not None
        assert hashed.digest() == hashlib.sha256(BIG + greeting).digest()


def test_another_branch_is_hashed_whole() -> None:
    shared = SharedStart()
    for _ in range(3):
        shared.start_of([BIG, b"y", b"\r\n"])
    assert shared.start_of([BIG[:-1] + b"z", b"y", b"\r\n"]) == (None, 0)
    assert shared.start_of([bytes(bytearray(BIG)), b"y"]) == (None, 0)  # equal, but who knows without comparing


@pytest.mark.parametrize("pieces", [[b"short", b"a"], [b"a", BIG]])
def test_a_short_beginning_is_not_worth_it(pieces: list[bytes]) -> None:
    shared = SharedStart()
    assert [shared.start_of(pieces) for _ in range(3)] == [(None, 0)] * 3


@pytest.mark.parametrize("end", [b"Ada\r\n", b"\r\n--boundary--\r\n"])
def test_the_signature_is_that_of_the_whole_body(end: bytes) -> None:
    signer = Signer("news.acme.example", "s", generate_key(KeyKind.ED25519)[0], clock=lambda: 1_700_000_000)
    shared = SharedStart()
    line = BIG + b"\r\n"
    bodies = [[line, end] for _ in range(3)]
    for body in bodies:
        hashed, n_pieces = shared.start_of(body)
        rest = b"".join(body[n_pieces:])
        assert signer.sign(HEADERS, rest, hashed=hashed) == signer.sign(HEADERS, b"".join(body))
