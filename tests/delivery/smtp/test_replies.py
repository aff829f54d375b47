"""Cutting a byte stream into SMTP replies."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.smtp.replies import MAX_LINE, MAX_LINES, Reply, ReplyParser, printable

STREAM = b"250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n250 2.1.0 ok\r\n354 go\r\n550\r\n250 2.1.0 ok\r\n"
REPLIES = [
    Reply(250, (b"mx.example", b"PIPELINING", b"SIZE 1000")),
    Reply(250, (b"2.1.0 ok",)),
    Reply(354, (b"go",)),
    Reply(550, (b"",)),
    Reply(250, (b"2.1.0 ok",)),
]


def test_several_replies_in_one_piece_are_told_apart() -> None:
    assert ReplyParser().feed(STREAM) == REPLIES


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_replies_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    parser = ReplyParser()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [reply for a, b in pairwise(edges) for reply in parser.feed(STREAM[a:b])]
    assert found == REPLIES
    assert not parser.has_leftover


@given(st.lists(st.tuples(st.integers(200, 599), st.text("abc -.19", max_size=12)), min_size=1, max_size=40))
def test_repeated_lines_give_the_reply_that_a_first_reading_gives(pairs: list[tuple[int, str]]) -> None:
    parser = ReplyParser()
    for code, text in pairs * 2:
        assert parser.feed(f"{code} {text}\r\n".encode()) == [Reply(code, (text.encode(),))]


def test_a_line_end_without_carriage_return_is_taken() -> None:
    assert ReplyParser().feed(b"250 ok\n250 ok\r\n") == [Reply(250, (b"ok",)), Reply(250, (b"ok",))]


def test_a_reply_known_as_single_is_not_mistaken_for_the_end_of_a_longer_one() -> None:
    parser = ReplyParser()
    parser.feed(b"250 ok\r\n")
    assert parser.feed(b"250-first\r\n250 ok\r\n") == [Reply(250, (b"first", b"ok"))]


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"hello\r\n", "not an SMTP reply: 'hello'"),
        (b"\r\n", "not an SMTP reply: ''"),
        (b"25 ok\r\n", "not an SMTP reply: '25 ok'"),
        (b"+25 ok\r\n", "not an SMTP reply: '+25 ok'"),
        (b"150 wait\r\n", "not an SMTP reply: '150 wait'"),
        (b"650 what\r\n", "not an SMTP reply: '650 what'"),
        (b"2500 ok\r\n", "not an SMTP reply: '2500 ok'"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not an SMTP reply: 'HTTP/1.1 400 Bad Request'"),
        (b"250-a\r\n550 b\r\n", "a reply changes its code from 250 to 550"),
        (b"250 " + b"x" * MAX_LINE + b"\r\n", "a reply line has more than 4096 bytes"),
        (b"250 " + b"x" * MAX_LINE, "a reply line has more than 4096 bytes"),
        (b"250-x\r\n" * (MAX_LINES + 1), "a reply has more than 128 lines"),
    ],
)
def test_what_is_not_smtp_is_an_error_after_the_replies_before_it(stream: bytes, error: str) -> None:
    parser = ReplyParser()
    assert parser.feed(b"250 ok\r\n" + stream) == [Reply(250, (b"ok",))]
    assert parser.error == error
    assert parser.feed(b"250 ok\r\n") == []


def test_unprintable_characters_become_spaces() -> None:
    assert printable(b"\x00 50\xc3\xa9\x1b[31m\xff \r") == "50é [31m�"


def test_a_reply_reads_as_it_was_sent() -> None:
    assert str(Reply(550, (b"5.1.1 no", b"5.1.1 such user"))) == "550 5.1.1 no 5.1.1 such user"
