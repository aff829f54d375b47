"""One connection's waits and held bytes, with a clock and a wire in the test's hand."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest

from delivery.outcomes import Outcome, Result
from delivery.smtp.config import SmtpConfig, Timeouts
from delivery.smtp.connection import Connection
from delivery.smtp.dial import Dialogue, Line
from delivery.smtp.envelope import Envelope
from delivery.smtp.errors import Trouble, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.session import Session

TIMEOUTS = Timeouts(mail=10, rcpt=20, data=30, block=40, dot=600, quit=5, idle=60)
GROUP = b"MAIL FROM:<s%d>\r\nRCPT TO:<r%d>\r\nDATA\r\n"
GRANTED = b"250 ok\r\n250 ok\r\n354 go\r\n"


class Wire(asyncio.Transport):
    """A transport that takes as many bytes at once as `room` says; the rest waits, and writing pauses."""

    def __init__(self, room: int = 1 << 30) -> None:
        super().__init__()
        self.room = room
        self.sent = b""
        self.waiting = b""
        self.is_gone = False
        self.reader: Connection

    def set_protocol(self, protocol: Any) -> None:
        self.reader = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def is_closing(self) -> bool:
        return self.is_gone

    def abort(self) -> None:
        self.is_gone = True

    def write(self, data: Any) -> None:
        self.waiting += bytes(data)
        self.flow(0)
        if self.waiting:
            self.reader.pause_writing()

    def flow(self, more: int) -> None:
        """Let so many more bytes through."""
        self.room += more
        n, was_waiting = min(self.room, len(self.waiting)), bool(self.waiting)
        self.sent, self.waiting, self.room = self.sent + self.waiting[:n], self.waiting[n:], self.room - n
        if more and was_waiting and not self.waiting:
            self.reader.resume_writing()


class UnderTls(Wire):
    """The TCP transport under a TLS one, which passes all it has on at once: what waits there waits here."""

    def __init__(self, above: Wire) -> None:
        super().__init__()
        self._above = above

    def get_write_buffer_size(self) -> int:
        return self._above.get_write_buffer_size()


class Bench:
    """A connection between a wire and a desk; `time` is the clock."""

    def __init__(self, n: int, room: int = 1 << 30) -> None:
        self.time = 1000.0
        self.waiting = deque(Envelope(k, b"s%d" % k, b"r%d" % k, b"x" * 98 + b"\r\n") for k in range(1, n + 1))
        self.outcomes: list[tuple[int, Outcome]] = []
        self.returned: list[int] = []
        self.ends: list[Trouble | None] = []
        self.n_proved = 0
        self.wire = Wire(room)
        session = Session(SmtpConfig("mx", timeouts=TIMEOUTS), Features(pipelining=True), self)
        # As over TLS, so that nothing is written past the transport.
        line = Line(self.wire, UnderTls(self.wire), Features(), Dialogue())
        self.connection = Connection(line, session, self, TIMEOUTS, lambda: self.time)
        self.connection.pump()

    def pull(self) -> Envelope | None:
        return self.waiting.popleft() if self.waiting else None

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        self.outcomes.append((envelope.key, outcome))

    def give_back(self, envelope: Envelope, reason: str) -> None:
        self.returned.append(envelope.key)

    def proved(self) -> None:
        self.n_proved += 1

    def ended(self, connection: Connection, trouble: Trouble | None) -> None:
        self.ends.append(trouble)

    def hear(self, replies: bytes) -> None:
        self.connection.data_received(replies)

    def after(self, seconds: float) -> list[Trouble | None]:
        """Let time pass and the connection look at its watch; how it ended, if it did."""
        self.time += seconds
        self.connection.check_time()
        return self.ends


def timeout(text: str) -> list[Trouble]:
    """The end by this time-out."""
    return [Trouble(TroubleKind.TIMEOUT, text)]


def test_each_answer_has_its_own_time() -> None:
    bench = Bench(1)
    assert bench.after(9) == []
    bench.hear(b"250 ok\r\n")
    assert bench.after(19) == []
    bench.hear(b"250 ok\r\n")
    assert bench.after(29) == []
    bench.hear(b"354 go\r\n")
    assert bench.after(599) == []
    assert bench.after(2) == timeout("no answer to the end of a message in time")
    assert bench.wire.is_gone
    assert [(key, outcome.result) for key, outcome in bench.outcomes] == [(1, Result.UNCERTAIN)]


@pytest.mark.parametrize(
    ("heard", "seconds", "name"),
    [(b"", 11, "MAIL FROM"), (b"250 ok\r\n", 21, "RCPT TO"), (b"250 ok\r\n250 ok\r\n", 31, "DATA")],
)
def test_silence_before_the_body_gives_the_message_back(heard: bytes, seconds: float, name: str) -> None:
    bench = Bench(1)
    if heard:
        bench.hear(heard)
    assert bench.after(seconds) == timeout(f"no answer to {name} in time")
    assert (bench.outcomes, bench.returned) == ([], [1])


def test_new_work_does_not_prolong_the_wait_for_an_answer() -> None:
    bench = Bench(1)
    bench.hear(GRANTED)
    assert bench.after(599) == []
    bench.waiting.append(Envelope(2, b"s2", b"r2", b"x\r\n"))
    bench.connection.pump()
    assert bench.wire.sent.endswith(GROUP % (2, 2))
    assert bench.after(2) == timeout("no answer to the end of a message in time")
    assert bench.returned == [2]


def test_a_connection_at_rest_quits_after_its_time_and_hangs_up_if_that_is_not_answered() -> None:
    bench = Bench(1)
    bench.hear(GRANTED)
    bench.hear(b"250 taken\r\n")
    assert bench.n_proved == 1
    assert bench.after(59) == []
    assert bench.after(2) == []
    assert bench.wire.sent.endswith(b"QUIT\r\n")
    bench.after(6)
    assert bench.wire.is_gone
    bench.connection.connection_lost(None)
    assert bench.ends == [None]


def test_the_dot_is_held_while_part_of_the_body_waits() -> None:
    bench = Bench(2, room=len(GROUP % (1, 1)) + 50)
    bench.hear(GRANTED)
    assert bench.wire.sent == GROUP % (1, 1) + b"x" * 50
    bench.wire.flow(49)
    assert bench.wire.sent.endswith(b"x\r")
    bench.wire.flow(1)
    assert bench.wire.sent == GROUP % (1, 1) + b"x" * 98 + b"\r\n"
    bench.connection.connection_lost(ConnectionResetError("reset"))
    assert bench.outcomes[0][1].result is Result.UNCERTAIN


def test_a_loss_while_the_dot_is_held_proves_the_message_unsent() -> None:
    bench = Bench(2, room=len(GROUP % (1, 1)) + 50)
    bench.hear(GRANTED)
    bench.connection.connection_lost(ConnectionResetError("reset"))
    assert (bench.outcomes, bench.returned) == ([], [1, 2])
    assert bench.ends == [
        Trouble(TroubleKind.CLOSED, "the server hung up instead of answering the end of a message (reset)")
    ]


def test_a_body_that_moves_is_waited_for_and_then_its_answer_has_its_whole_time() -> None:
    bench = Bench(1, room=len(GROUP % (1, 1)) + 50)
    bench.hear(GRANTED)
    bench.time += 39
    bench.wire.flow(10)
    assert bench.after(2) == []
    bench.wire.flow(10)
    assert bench.after(41) == []
    bench.wire.flow(1000)
    assert bench.wire.sent.endswith(b"\r\n.\r\n")
    assert bench.after(599) == []
    bench.hear(b"250 taken\r\n")
    assert bench.outcomes[0][1].result is Result.ACCEPTED


def test_a_body_that_does_not_move_is_given_up_and_given_back() -> None:
    bench = Bench(1, room=len(GROUP % (1, 1)) + 50)
    bench.hear(GRANTED)
    assert bench.after(39) == []
    assert bench.after(2) == timeout("the server reads no more of the message")
    assert (bench.outcomes, bench.returned) == ([], [1])


def test_what_comes_after_the_end_changes_nothing() -> None:
    bench = Bench(1)
    bench.hear(b"421 bye\r\n")
    bench.hear(b"250 ok\r\n")
    bench.connection.connection_lost(None)
    bench.connection.check_time()
    assert bench.ends == [Trouble(TroubleKind.CLOSED, "bye", 421)]
    assert bench.returned == [1]
