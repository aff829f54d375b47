"""Intake by IMAP against a small real server."""

from __future__ import annotations

import imaplib

import pytest

from delivery.inbound.sources import imap
from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.imap import ImapAccount, ImapSource, UidCursor
from tests.delivery.inbound.fakes import Mailbox, imap_server

PASSWORD = "secret"
ONE, TWO, THREE = b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n2\r\n", b"Subject: three\r\n\r\n3\r\n"


def account(port: int, password: str = PASSWORD) -> ImapAccount:
    """An account on the local server."""
    return ImapAccount("127.0.0.1", "bounces", password, port, tls=False, folder='Bounces "old"', timeout=10)


def test_each_mail_is_taken_once_and_the_cursor_says_how_far() -> None:
    box, recorded = Mailbox({3: ONE, 5: TWO}), list[Arrival]()
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor())
        assert drain(source, recorded.append) == 2
        assert source.cursor == UidCursor(7, 5)
        assert drain(source, recorded.append) == 0
        box.mails[6] = THREE
        assert drain(source, recorded.append) == 1
        source.close()
    assert [arrival.raw for arrival in recorded] == [ONE, TWO, THREE]
    assert box.flags == {}
    assert r'SELECT "Bounces \"old\""' in " ".join(box.commands)


def test_a_stored_cursor_goes_on_where_it_was() -> None:
    recorded = list[Arrival]()
    with imap_server(Mailbox({3: ONE, 5: TWO})) as port:
        source = ImapSource(account(port), UidCursor(7, 3))
        drain(source, recorded.append)
        source.close()
    assert [arrival.raw for arrival in recorded] == [TWO]


def test_a_mailbox_that_was_built_anew_is_read_from_its_start() -> None:
    recorded = list[Arrival]()
    with imap_server(Mailbox({1: ONE}, validity=8)) as port:
        source = ImapSource(account(port), UidCursor(7, 99))
        drain(source, recorded.append)
        source.close()
    assert [arrival.raw for arrival in recorded] == [ONE]
    assert source.cursor == UidCursor(8, 1)


def test_what_is_not_recorded_is_neither_flagged_nor_removed_and_comes_again() -> None:
    box, recorded = Mailbox({1: ONE, 2: TWO}), list[bytes]()

    def record(arrival: Arrival) -> None:
        if arrival.raw == TWO and TWO not in recorded:
            recorded.append(TWO)
            raise RuntimeError("the database is down")

    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(), after="delete")
        with pytest.raises(RuntimeError, match="database"):
            drain(source, record)
        assert (list(box.mails), source.cursor) == ([2], UidCursor(7, 1))
        assert 2 not in box.flags
        assert drain(source, record) == 1
        source.close()
    assert box.mails == {}


def test_a_removal_is_asked_for_only_after_the_record_and_for_that_mail_alone() -> None:
    box = Mailbox({4: ONE})
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(), after="delete")
        drain(source, lambda _arrival: box.commands.append("recorded"))
        source.close()
    verbs = [line.partition(" ")[2] for line in box.commands[box.commands.index("recorded") + 1 :]]
    assert verbs == [r"UID STORE 4 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 4"]


def test_without_uidplus_a_mail_is_only_flagged() -> None:
    box = Mailbox({4: ONE}, capabilities="IMAP4rev1")
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(), after="delete")
        drain(source, lambda _arrival: None)
        source.close()
    assert (list(box.mails), box.flags) == ([4], {4: {r"\Deleted"}})


def test_recorded_mails_can_be_marked_as_seen() -> None:
    box = Mailbox({4: ONE})
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(), after="seen")
        drain(source, lambda _arrival: None)
        source.close()
    assert box.flags == {4: {r"\Seen"}}


def test_a_mail_over_the_cap_is_recorded_in_part_and_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "MAX_RAW", 10)
    box, recorded = Mailbox({4: ONE}), list[Arrival]()
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(), after="delete")
        drain(source, recorded.append)
        source.close()
    assert [(arrival.raw, arrival.truncated) for arrival in recorded] == [(ONE[:10], True)]
    assert list(box.mails) == [4]


def test_a_connection_that_breaks_is_an_error_and_the_next_pass_connects_again() -> None:
    box, recorded = Mailbox({1: ONE, 2: TWO}), list[Arrival]()
    box.sever_after = 7  # CAPABILITY, LOGIN, CAPABILITY, SELECT, SEARCH, FETCH 1, FETCH 2
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor())
        with pytest.raises((imaplib.IMAP4.error, OSError)):
            drain(source, recorded.append)
        assert source.cursor == UidCursor(7, 1)
        assert drain(source, recorded.append) == 1
        source.close()
    assert [arrival.raw for arrival in recorded] == [ONE, TWO]


def test_idle_wakes_up_when_a_mail_comes() -> None:
    box, recorded = Mailbox({1: ONE}, idle_arrival=TWO), list[Arrival]()
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(7, 1))
        assert drain(source, recorded.append) == 0
        assert source.wait(10)
        assert drain(source, recorded.append) == 1
        source.close()
    assert [arrival.raw for arrival in recorded] == [TWO]
    assert "DONE" not in box.commands  # the server read it within IDLE


def test_a_silent_wait_ends_and_the_next_pass_connects_again() -> None:
    box, recorded = Mailbox({1: ONE}), list[Arrival]()
    with imap_server(box) as port:
        source = ImapSource(account(port), UidCursor(7, 1))
        assert drain(source, recorded.append) == 0
        assert not source.wait(0.05)
        box.mails[2] = TWO
        assert drain(source, recorded.append) == 1
        source.close()
    assert [line.partition(" ")[2].partition(" ")[0] for line in box.commands].count("LOGIN") == 2


def test_a_server_without_idle_is_looked_at_again_after_the_wait() -> None:
    with imap_server(Mailbox({}, capabilities="IMAP4rev1")) as port:
        source = ImapSource(account(port), UidCursor())
        assert source.wait(0.01)
        source.close()


def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    with imap_server(Mailbox({})) as port, pytest.raises(imaplib.IMAP4.error, match="wrong password"):
        drain(ImapSource(account(port, "wrong"), UidCursor()), lambda _arrival: None)
