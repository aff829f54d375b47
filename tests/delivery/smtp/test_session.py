"""The conversation about messages, without sockets: exact bytes out, exact outcomes."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from delivery.outcomes import Outcome, Result
from delivery.smtp.config import Chunking, SmtpConfig
from delivery.smtp.envelope import Envelope
from delivery.smtp.errors import SmtpError, Trouble, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.session import Session

PIPELINING = Features(pipelining=True, eightbitmime=True, smtputf8=True)
NOTHING = Features()
OK3 = b"250 ok\r\n250 ok\r\n354 go\r\n"


def group(key: int, parameters: str = "") -> bytes:
    """MAIL, RCPT and DATA of one message."""
    return f"MAIL FROM:<s{key}>{parameters}\r\nRCPT TO:<r{key}>\r\nDATA\r\n".encode()


def body(key: int) -> bytes:
    """The body of one message."""
    return b"body %d\r\n" % key


class Desk:
    """The session's host: hands out numbered envelopes and keeps what comes back."""

    def __init__(self, n: int, **more: bool) -> None:
        self.waiting = deque(Envelope(k, b"s%d" % k, b"r%d" % k, body(k), **more) for k in range(1, n + 1))
        self.outcomes: list[tuple[int, Outcome]] = []
        self.returned: list[tuple[int, str]] = []

    def pull(self) -> Envelope | None:
        return self.waiting.popleft() if self.waiting else None

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        self.outcomes.append((envelope.key, outcome))

    def give_back(self, envelope: Envelope, reason: str) -> None:
        self.returned.append((envelope.key, reason))

    @property
    def results(self) -> list[tuple[int, Result]]:
        """What was settled, in order."""
        return [(key, outcome.result) for key, outcome in self.outcomes]


def start(desk: Desk, features: Features = PIPELINING, **settings: object) -> Session:
    """A session at rest."""
    return Session(replace(SmtpConfig("mx"), **settings), features, desk)  # type: ignore[arg-type]


def say(session: Session, replies: bytes) -> tuple[bytes, bytes]:
    """Give the server's bytes, get the next flight."""
    session.receive(replies)
    return session.next_flight()


def trouble(session: Session, replies: bytes) -> Trouble:
    """Give the server's bytes, which end the session."""
    with pytest.raises(SmtpError) as caught:
        session.receive(replies)
    session.lost(str(caught.value))
    assert session.awaited is None
    return caught.value.trouble


# Pipelining


def test_body_dot_and_next_addresses_go_in_one_flight() -> None:
    desk = Desk(2)
    session = start(desk)
    assert session.next_flight() == (b"", group(1))
    assert session.next_flight() == (b"", b"")
    assert say(session, OK3) == (body(1), b".\r\n" + group(2))
    assert say(session, b"250 queued as A\r\n" + OK3) == (body(2), b".\r\n")
    assert say(session, b"250 queued as B\r\n") == (b"", b"")
    assert [(key, outcome.provider_id) for key, outcome in desk.outcomes] == [(1, "A"), (2, "B")]
    assert session.awaited is None


def test_work_that_comes_while_the_dot_is_unanswered_is_begun_behind_it() -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    assert say(session, OK3) == (body(1), b".\r\n")
    desk.waiting.append(Envelope(2, b"s2", b"r2", body(2)))
    assert session.next_flight() == (b"", group(2))


def test_without_pipelining_every_command_waits_for_its_answer() -> None:
    desk = Desk(2)
    session = start(desk, NOTHING)
    assert session.next_flight() == (b"", b"MAIL FROM:<s1>\r\n")
    assert session.next_flight() == (b"", b"")
    assert say(session, b"250 ok\r\n") == (b"", b"RCPT TO:<r1>\r\n")
    assert say(session, b"250 ok\r\n") == (b"", b"DATA\r\n")
    assert say(session, b"354 go\r\n") == (body(1), b".\r\n")
    assert say(session, b"250 queued as A\r\n") == (b"", b"MAIL FROM:<s2>\r\n")


def test_pipelining_that_is_announced_can_be_switched_off() -> None:
    assert start(Desk(1), pipelining=False).next_flight() == (b"", b"MAIL FROM:<s1>\r\n")


@pytest.mark.parametrize(
    ("eightbit", "smtputf8", "features", "parameters"),
    [
        (True, False, PIPELINING, " BODY=8BITMIME"),
        (True, True, PIPELINING, " BODY=8BITMIME SMTPUTF8"),
        (False, True, PIPELINING, " SMTPUTF8"),
        (True, False, Features(pipelining=True), ""),
    ],
)
def test_parameters_are_said_where_they_are_announced(
    eightbit: bool, smtputf8: bool, features: Features, parameters: str
) -> None:
    session = start(Desk(1, eightbit=eightbit, smtputf8=smtputf8), features)
    assert session.next_flight() == (b"", group(1, parameters))


def test_a_non_ascii_address_brings_smtputf8_with_it() -> None:
    desk = Desk(0)
    desk.waiting.append(Envelope(1, b"s1", "ü@x".encode(), b"x\r\n"))
    assert start(desk).next_flight()[1].startswith(b"MAIL FROM:<s1> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@x>\r\n")


def test_a_bad_envelope_fails_without_a_byte_and_the_next_is_sent() -> None:
    desk = Desk(2)
    desk.waiting[0] = Envelope(1, b"s1", b"r1>\r\nDATA", b"x\r\n")
    assert start(desk).next_flight() == (b"", group(2))
    assert desk.results == [(1, Result.FAILED)]


# Refusals


@pytest.mark.parametrize(
    ("code", "result"), [(b"550", Result.REFUSED), (b"450", Result.DEFERRED), (b"552", Result.REFUSED)]
)
def test_a_refused_recipient_costs_a_lone_dot_when_data_was_granted(code: bytes, result: Result) -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    flight = say(session, b"250 ok\r\n" + code + b" no\r\n354 go\r\n")
    assert flight == (b"", b".\r\n" + group(2))
    assert say(session, b"250 queued as EMPTY\r\n" + OK3) == (body(2), b".\r\n")
    assert desk.results == [(1, result)]


@pytest.mark.parametrize("data_reply", [b"503 no\r\n", b"554 no valid recipients\r\n", b"451 no\r\n"])
def test_a_refused_recipient_leaves_an_open_transaction_that_rset_ends(data_reply: bytes) -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    assert say(session, b"250 ok\r\n550 no\r\n" + data_reply) == (b"", b"RSET\r\n" + group(2))
    assert say(session, b"250 reset\r\n" + OK3) == (body(2), b".\r\n")
    assert [(key, outcome.code) for key, outcome in desk.outcomes] == [(1, 550)]


def test_a_refused_sender_leaves_nothing_open() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    assert say(session, b"451 4.3.0 later\r\n503 no\r\n503 no\r\n") == (b"", group(2))
    assert [(key, outcome.code) for key, outcome in desk.outcomes] == [(1, 451)]


def test_a_refusal_is_settled_though_the_rest_of_its_group_never_comes() -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    session.receive(b"250 ok\r\n550 no\r\n")
    session.lost("gone")
    assert (desk.results, desk.returned) == ([(1, Result.REFUSED)], [])


def test_a_refused_data_is_the_verdict() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    assert say(session, b"250 ok\r\n250 ok\r\n451 4.7.1 wait 60 seconds\r\n") == (b"", b"RSET\r\n" + group(2))
    assert desk.outcomes[0][1] == Outcome(Result.DEFERRED, 451, "4.7.1", "wait 60 seconds", retry_after=60)


@pytest.mark.parametrize(("code", "result"), [(b"550", Result.REFUSED), (b"451", Result.DEFERRED)])
def test_a_refused_message_does_not_touch_the_next(code: bytes, result: Result) -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    assert say(session, code + b" no\r\n" + OK3) == (body(2), b".\r\n")
    assert desk.results == [(1, result)]


def test_without_pipelining_a_refusal_saves_the_commands_behind_it() -> None:
    desk = Desk(3)
    session = start(desk, NOTHING)
    session.next_flight()
    assert say(session, b"550 no\r\n") == (b"", b"MAIL FROM:<s2>\r\n")
    assert say(session, b"250 ok\r\n") == (b"", b"RCPT TO:<r2>\r\n")
    assert say(session, b"550 no\r\n") == (b"", b"RSET\r\n")
    assert say(session, b"250 ok\r\n") == (b"", b"MAIL FROM:<s3>\r\n")
    assert desk.results == [(1, Result.REFUSED), (2, Result.REFUSED)]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"530 5.7.0 log in", TroubleKind.AUTH),
        (b"538 encrypt", TroubleKind.AUTH),
        (b"503 AUTH first", TroubleKind.PROTOCOL),
    ],
)
def test_an_answer_about_the_session_is_no_verdict_on_the_message(reply: bytes, kind: TroubleKind) -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    assert trouble(session, reply + b"\r\n").kind is kind
    assert (desk.results, [key for key, _ in desk.returned]) == ([], [1])


def test_a_server_that_takes_the_recipient_of_a_refused_sender_gets_no_dot() -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    assert trouble(session, b"550 no\r\n250 ok\r\n354 go\r\n").kind is TroubleKind.PROTOCOL
    assert (desk.results, desk.returned) == ([(1, Result.REFUSED)], [])


# CHUNKING

CHUNKING = Features(pipelining=True, chunking=True)


def test_a_chunk_is_sent_only_after_its_recipient_was_taken() -> None:
    desk = Desk(0)
    desk.waiting.append(Envelope(1, b"s1", b"r1", b"..x\r\n..\r\n"))
    desk.waiting.append(Envelope(2, b"s2", b"r2", body(2)))
    session = start(desk, CHUNKING, chunking=Chunking.ALWAYS)
    assert session.next_flight() == (b"", b"MAIL FROM:<s1>\r\nRCPT TO:<r1>\r\n")
    flight = say(session, b"250 ok\r\n250 ok\r\n")
    assert flight == (b"BDAT 7 LAST\r\n.x\r\n.", b"\r\nMAIL FROM:<s2>\r\nRCPT TO:<r2>\r\n")
    assert say(session, b"250 taken\r\n250 ok\r\n550 no\r\n") == (b"", b"")
    assert desk.results == [(1, Result.ACCEPTED), (2, Result.REFUSED)]


def test_a_refused_recipient_or_chunk_is_followed_by_rset() -> None:
    desk = Desk(3)
    session = start(desk, CHUNKING, chunking=Chunking.ALWAYS)
    session.next_flight()
    opened = b"RSET\r\nMAIL FROM:<s2>\r\nRCPT TO:<r2>\r\n"
    assert say(session, b"250 ok\r\n550 no\r\n") == (b"", opened)
    desk.waiting.clear()
    say(session, b"250 ok\r\n250 ok\r\n250 ok\r\n")
    desk.waiting.append(Envelope(3, b"s3", b"r3", body(3)))
    assert say(session, b"554 no\r\n") == (b"", b"RSET\r\nMAIL FROM:<s3>\r\nRCPT TO:<r3>\r\n")


def test_without_pipelining_a_chunk_saves_a_round_trip() -> None:
    session = start(Desk(1), Features(chunking=True))
    session.next_flight()
    assert say(session, b"250 ok\r\n") == (b"", b"RCPT TO:<r1>\r\n")
    assert say(session, b"250 ok\r\n") == (b"BDAT 8 LAST\r\nbody 1", b"\r\n")


@pytest.mark.parametrize(
    ("policy", "features", "is_used"),
    [
        (Chunking.AUTO, CHUNKING, False),
        (Chunking.AUTO, Features(chunking=True), True),
        (Chunking.ALWAYS, CHUNKING, True),
        (Chunking.ALWAYS, PIPELINING, False),
        (Chunking.NEVER, Features(chunking=True), False),
    ],
)
def test_chunks_are_used_where_they_pay(policy: Chunking, features: Features, is_used: bool) -> None:
    session = start(Desk(1), features, chunking=policy)
    session.next_flight()
    if features.pipelining:
        session.receive(b"250 ok\r\n250 ok\r\n" + (b"" if is_used else b"354 go\r\n"))
    else:
        say(session, b"250 ok\r\n")
        flight = say(session, b"250 ok\r\n")
        if not is_used:
            assert flight == (b"", b"DATA\r\n")
            session.receive(b"354 go\r\n")
            flight = session.next_flight()
        assert flight[0].startswith(b"BDAT") is is_used
        return
    assert session.next_flight()[0].startswith(b"BDAT") is is_used


# Losing the connection


def test_what_was_sent_whole_is_uncertain_and_what_was_only_announced_is_given_back() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    session.lost("cable cut")
    assert desk.outcomes == [(1, Outcome(Result.UNCERTAIN, text="sent whole, but no answer came: cable cut"))]
    assert desk.returned == [(2, "cable cut")]


@pytest.mark.parametrize("replies", [b"", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n", OK3])
def test_before_the_body_is_written_a_message_is_provably_unsent(replies: bytes) -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    session.receive(replies)
    session.lost("cable cut")
    assert (desk.results, desk.returned) == ([], [(1, "cable cut")])


def test_a_held_dot_proves_the_message_unsent() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    session.is_held = True
    session.lost("cable cut")
    assert (desk.results, desk.returned) == ([], [(1, "cable cut"), (2, "cable cut")])


def test_a_refusal_before_the_end_of_the_message_is_its_verdict_and_ends_the_session() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    session.is_held = True
    assert trouble(session, b"552 5.3.4 too big\r\n").code == 552
    assert desk.results == [(1, Result.REFUSED)]
    assert [key for key, _ in desk.returned] == [2]


def test_an_acceptance_before_the_end_of_the_message_is_uncertain() -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    session.is_held = True
    assert trouble(session, b"250 ok\r\n").kind is TroubleKind.PROTOCOL
    assert desk.results == [(1, Result.UNCERTAIN)]


@pytest.mark.parametrize(
    "noise", [b"354 more?\r\n", b"garbage\r\n", b"\x16\x03\x01\x00\n", b"250-half\r\n550 other\r\n"]
)
def test_no_sensible_answer_to_the_dot_is_uncertain(noise: bytes) -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    assert trouble(session, noise).kind is TroubleKind.PROTOCOL
    assert desk.results == [(1, Result.UNCERTAIN)]
    assert [key for key, _ in desk.returned] == [2]


@pytest.mark.parametrize(
    "noise", [b"354 go\r\n", b"huh\r\n", b"250 ok\r\n354 go\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n"]
)
def test_nonsense_before_the_body_sends_the_message_elsewhere(noise: bytes) -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    assert trouble(session, noise).kind is TroubleKind.PROTOCOL
    assert (desk.results, [key for key, _ in desk.returned]) == ([], [1])


def test_an_answer_to_nothing_ends_the_session() -> None:
    session = start(Desk(0))
    assert trouble(session, b"250 hello again\r\n") == Trouble(
        TroubleKind.PROTOCOL, "an answer to nothing: 250 hello again"
    )


# 421


def test_421_to_the_dot_defers_the_message_and_gives_back_the_next() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    assert trouble(session, b"421 4.3.2 closing\r\n") == Trouble(TroubleKind.CLOSED, "4.3.2 closing", 421)
    assert desk.outcomes == [(1, Outcome(Result.DEFERRED, 421, "4.3.2", "closing"))]
    assert [key for key, _ in desk.returned] == [2]


def test_421_before_the_held_dot_gives_back_both() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    session.is_held = True
    trouble(session, b"421 4.3.2 closing\r\n")
    assert (desk.results, [key for key, _ in desk.returned]) == ([], [1, 2])


@pytest.mark.parametrize("before", [b"", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n"])
def test_421_before_the_body_gives_the_message_back(before: bytes) -> None:
    desk = Desk(1)
    session = start(desk)
    session.next_flight()
    assert trouble(session, before + b"421 busy\r\n").code == 421
    assert (desk.results, [key for key, _ in desk.returned]) == ([], [1])


def test_421_behind_an_acceptance_leaves_it_accepted() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    say(session, OK3)
    trouble(session, b"250 queued as A\r\n421 enough\r\n")
    assert desk.results == [(1, Result.ACCEPTED)]
    assert [key for key, _ in desk.returned] == [2]


def test_421_at_rest_ends_the_session() -> None:
    assert trouble(start(Desk(0)), b"421 idle too long\r\n") == Trouble(TroubleKind.CLOSED, "idle too long", 421)


# Ending


def test_the_limit_counts_messages_begun() -> None:
    desk = Desk(3)
    session = start(desk, max_messages_per_connection=2)
    session.next_flight()
    assert say(session, b"550 no\r\n503 no\r\n503 no\r\n") == (b"", group(2))
    assert session.is_spent
    assert say(session, OK3) == (body(2), b".\r\n")
    assert say(session, b"250 ok\r\n") == (b"", b"")
    assert len(desk.waiting) == 1


def test_a_session_that_is_ending_finishes_what_it_began() -> None:
    desk = Desk(2)
    session = start(desk)
    session.next_flight()
    session.is_ending = True
    assert say(session, OK3) == (body(1), b".\r\n")
    assert say(session, b"250 ok\r\n") == (b"", b"")
    assert (desk.results, len(desk.waiting)) == ([(1, Result.ACCEPTED)], 1)
