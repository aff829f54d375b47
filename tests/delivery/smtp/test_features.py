"""Reading what a server announces."""

from __future__ import annotations

from delivery.smtp.features import Features, parse_features
from delivery.smtp.replies import Reply


def features(*lines: bytes) -> Features:
    """What these EHLO lines announce."""
    return parse_features(Reply(250, lines))


def test_the_extensions_in_use_are_found_whatever_their_case() -> None:
    found = features(
        b"mx.example at your service",
        b"pipelining",
        b"8BITMIME",
        b"SIZE 35882577",
        b"Chunking",
        b"SMTPUTF8",
        b"STARTTLS",
    )
    assert found == Features(
        name="mx.example",
        pipelining=True,
        eightbitmime=True,
        smtputf8=True,
        chunking=True,
        starttls=True,
        size=35882577,
        keywords=("PIPELINING", "8BITMIME", "SIZE", "CHUNKING", "SMTPUTF8", "STARTTLS"),
    )


def test_logins_are_collected_from_both_ways_of_announcing_them() -> None:
    assert features(b"mx", b"AUTH PLAIN login", b"AUTH=CRAM-MD5").auth == {"PLAIN", "LOGIN", "CRAM-MD5"}


def test_a_size_without_number_is_no_limit() -> None:
    assert features(b"mx", b"SIZE").size == 0
    assert features(b"mx", b"SIZE lots").size == 0


def test_a_bare_or_odd_reply_announces_nothing() -> None:
    assert features(b"mx") == Features(name="mx")
    assert features(b"", b"", b"\xff") == Features(keywords=("\ufffd",))
