"""Envelopes: what may go on the wire, and dot-stuffing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.smtp.envelope import Envelope, dot_stuffed, problem_with, unstuffed
from delivery.smtp.features import Features

PLAIN = Features()
UTF8 = Features(smtputf8=True)


def problem(sender: bytes, recipient: bytes, features: Features = UTF8, data: bytes = b"x\r\n") -> str | None:
    """What is wrong with this envelope."""
    return problem_with(Envelope(1, sender, recipient, data), features)


def test_plain_addresses_and_the_null_sender_are_fine() -> None:
    assert problem(b"b+0f@here.example", b"o'neil=a/b{c}|d~@there.example", PLAIN) is None
    assert problem(b"", b"bob@there.example", PLAIN) is None


@pytest.mark.parametrize("bad", [b"a\r\nRCPT TO:<x@y>", b"a@b\n", b"a b@c", b"a@b>", b"<a@b", b"a\x00@b", b"a\x7f@b"])
def test_an_address_that_could_carry_a_command_stays_off_the_wire(bad: bytes) -> None:
    words = "has a control character, a space or an angle bracket, or is too long"
    assert problem(b"a@b.example", bad) == f"the recipient address {words}"
    assert problem(bad, b"a@b.example") == f"the sender address {words}"
    assert problem(b"a@b.example", "é".encode() + bad) == f"the recipient address {words}"


@pytest.mark.parametrize("bad", ["é\u2028@b", "é\x85@b", "é\xa0@b"])
def test_no_line_or_space_of_unicode_passes_either(bad: str) -> None:
    assert problem(b"a@b.example", bad.encode()) is not None


def test_an_empty_recipient_and_an_endless_one_are_problems() -> None:
    assert problem(b"a@b.example", b"") == "the recipient address is empty"
    assert problem(b"a@b.example", b"a" * 321) is not None
    assert problem(b"a@b.example", b"\xff@b.example") == "the recipient address is not UTF-8"


def test_a_non_ascii_address_needs_smtputf8() -> None:
    address = "jörg@there.example".encode()
    assert problem(b"a@b.example", address, UTF8) is None
    assert (
        problem(b"a@b.example", address, PLAIN)
        == "the address is not ASCII and needs SMTPUTF8, which the server does not announce"
    )


def test_non_ascii_headers_need_smtputf8() -> None:
    message = Envelope(1, b"a@b.example", b"c@d.example", b"x\r\n", smtputf8=True)
    assert problem_with(message, UTF8) is None
    assert (
        problem_with(message, PLAIN) == "the message needs SMTPUTF8 for its headers, which the server does not announce"
    )


def test_a_message_must_end_in_crlf_or_its_dot_would_be_body() -> None:
    assert problem(b"a@b.example", b"c@d.example", data=b"x\n") == "the message does not end in CRLF"
    assert problem(b"a@b.example", b"c@d.example", data=b"") == "the message does not end in CRLF"


def test_a_message_above_the_announced_size_is_not_sent() -> None:
    assert problem(b"a@b.example", b"c@d.example", Features(size=3)) is None
    assert (
        problem(b"a@b.example", b"c@d.example", Features(size=2))
        == "the message has 3 bytes, the server announces a limit of 2"
    )


@given(st.text("a.\r\n", max_size=30))
def test_stuffing_makes_a_body_safe_and_unstuffing_gives_it_back(text: str) -> None:
    stuffed = dot_stuffed(text.encode())
    assert stuffed.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed
    assert stuffed.count(b"\r") == stuffed.count(b"\n") == stuffed.count(b"\r\n")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    assert unstuffed(stuffed) == "".join(f"{line}\r\n" for line in lines).encode()
