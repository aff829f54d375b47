"""Intake by POP3 against a small real server."""

from __future__ import annotations

import pytest

from delivery.inbound.sources import pop3
from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.pop3 import Pop3Account, Pop3Error, Pop3Source
from tests.delivery.inbound.fakes import Mailbox, pop3_server

PASSWORD = "secret"
ONE, TWO = b"Subject: one\r\n\r\n.dotted\r\n..twice\r\n.\r\nend\r\n", b"Subject: two\r\n\r\n" + b"x" * 5_000 + b"\r\n"


def account(port: int, password: str = PASSWORD) -> Pop3Account:
    """An account on the local server."""
    return Pop3Account("127.0.0.1", "bounces", password, port, tls=False, timeout=10)


def nothing_known(_uid: str) -> bool:
    """The first session of all."""
    return False


def test_recorded_mails_are_deleted_and_come_as_they_were_sent() -> None:
    box, recorded = Mailbox({1: ONE, 2: TWO}), list[Arrival]()
    with pop3_server(box) as port:
        assert drain(Pop3Source(account(port), nothing_known), recorded.append) == 2
    assert [arrival.raw.rstrip() for arrival in recorded] == [ONE.rstrip(), TWO.rstrip()]
    assert box.mails == {}


def test_what_is_not_recorded_is_not_deleted() -> None:
    box = Mailbox({1: ONE, 2: TWO})

    def record(arrival: Arrival) -> None:
        if b"two" in arrival.raw:
            raise RuntimeError("the database is down")

    with pop3_server(box) as port, pytest.raises(RuntimeError, match="database"):
        drain(Pop3Source(account(port), nothing_known), record)
    assert list(box.mails) == [2]
    assert [line for line in box.commands if line.startswith("DELE")] == ["DELE 1"]


def test_a_delete_is_asked_for_only_after_the_record() -> None:
    box = Mailbox({1: ONE})
    with pop3_server(box) as port:
        drain(Pop3Source(account(port), nothing_known), lambda _arrival: box.commands.append("recorded"))
    assert box.commands[-3:] == ["recorded", "DELE 1", "QUIT"]


def test_a_session_that_breaks_deletes_nothing() -> None:
    box = Mailbox({1: ONE, 2: TWO}, sever_after=6)  # USER, PASS, UIDL, RETR 1, DELE 1, RETR 2
    with pop3_server(box) as port, pytest.raises(Pop3Error, match="closed the connection"):
        drain(Pop3Source(account(port), nothing_known), lambda _arrival: None)
    assert list(box.mails) == [1, 2]


def test_mails_that_are_kept_are_fetched_once() -> None:
    box, recorded = Mailbox({1: ONE, 2: TWO}), list[Arrival]()
    with pop3_server(box) as port:
        drain(Pop3Source(account(port), lambda uid: uid == "uid-1", delete=False), recorded.append)
    assert [arrival.raw[:12] for arrival in recorded] == [TWO[:12]]
    assert list(box.mails) == [1, 2]


def test_a_mail_over_the_cap_is_recorded_in_part_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pop3, "MAX_RAW", 1_000)
    box, recorded = Mailbox({1: TWO}), list[Arrival]()
    with pop3_server(box) as port:
        drain(Pop3Source(account(port), nothing_known), recorded.append)
    assert [(arrival.truncated, len(arrival.raw) <= 1_000) for arrival in recorded] == [(True, True)]
    assert list(box.mails) == [1]


def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    with pop3_server(Mailbox({})) as port, pytest.raises(Pop3Error, match=r"-ERR \[AUTH\] wrong password"):
        drain(Pop3Source(account(port, "wrong"), nothing_known), lambda _arrival: None)


def test_a_password_cannot_smuggle_a_command() -> None:
    box = Mailbox({1: ONE})
    with pop3_server(box) as port, pytest.raises(Pop3Error, match="no line ends"):
        drain(Pop3Source(account(port, "x\r\nDELE 1"), nothing_known), lambda _arrival: None)
    assert "DELE 1" not in box.commands
