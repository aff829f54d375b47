"""The conversation about messages, without sockets: replies in, commands and bodies out, every envelope settled once.

With PIPELINING one flight holds the body and final dot of a message and MAIL, RCPT and DATA of the next
(RFC 2920 section 3.1: DATA ends a group, a body may begin one), so a message costs one round trip.
At any time at most two envelopes are here: `finishing`, whose final dot went out, and `opening`, which has sent
nothing but its addresses. Losing the connection makes the first uncertain and proves the second unsent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from delivery.outcomes import Outcome, Result
from delivery.smtp.config import Chunking, SmtpConfig, Timeouts
from delivery.smtp.envelope import Envelope, problem_with, unstuffed
from delivery.smtp.errors import SmtpError, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.replies import Reply, ReplyParser
from delivery.smtp.verdicts import MAX_TEXT, RECALLED, outcome_of

_DOT = b".\r\n"
# Codes that accuse the session and not the message: bad sequence, login or encryption demanded (RFC 4954 section 6).
_DEMANDS = frozenset({530, 535, 538})
_ABOUT_THE_SESSION = _DEMANDS | {503}


class Host(Protocol):
    """Where envelopes come from and go to."""

    def pull(self) -> Envelope | None: ...
    def settle(self, envelope: Envelope, outcome: Outcome) -> None: ...
    def give_back(self, envelope: Envelope, reason: str) -> None: ...


class Step:
    """A reply that is awaited: the command's name for people, seconds to wait, who takes the answer."""

    __slots__ = ("answer", "name", "timeout")

    def __init__(self, name: str, timeout: float, answer: Callable[[Reply], None]) -> None:
        self.name = name
        self.timeout = timeout
        self.answer = answer


class Session:
    """One connection's transactions, from after the handshake until QUIT.

    The owner passes bytes to `receive`, writes what `next_flight` gives, and calls `lost` when the connection is
    gone. `is_held` is the owner's: true from a `next_flight` until the bytes of its second part were handed over.
    """

    def __init__(self, config: SmtpConfig, features: Features, host: Host) -> None:
        self._host = host
        self._features = features
        self._limit = config.max_messages_per_connection
        self._pipelining = config.pipelining and features.pipelining
        self._chunking = _uses_chunking(config.chunking, features, pipelining=self._pipelining)
        self._parser = ReplyParser()
        self._awaited: deque[Step] = deque()
        self._to_say: deque[bytes] = deque()
        self._to_await: deque[Step] = deque()
        self._make_steps(config.timeouts)

        self._opening: Envelope | None = None
        self._finishing: Envelope | None = None
        self._group_is_open = False  # from MAIL until the answer to DATA (RCPT with chunking)
        self._sender_was_taken = False
        self._recipient_was_taken = False
        self._may_write_body = False
        self._was_recalled = False
        self._owes_dot = False
        self._owes_reset = False
        self._n_begun = 0
        self.n_answered = 0
        self.is_ending = False
        self.is_held = False

    def _make_steps(self, timeouts: Timeouts) -> None:
        self._reset = Step("RSET", timeouts.mail, self._on_nothing)
        self._mail = Step("MAIL FROM", timeouts.mail, self._on_mail)
        self._rcpt = Step("RCPT TO", timeouts.rcpt, self._on_rcpt)
        self._data = Step("DATA", timeouts.data, self._on_data)
        self._dot = Step("the end of a message", timeouts.dot, self._on_dot)
        self._lone_dot = Step("the dot of a refused message", timeouts.dot, self._on_nothing)
        self._group = (self._mail, self._rcpt) if self._chunking else (self._mail, self._rcpt, self._data)
        self._data_line = () if self._chunking else (b"DATA\r\n",)

    @property
    def awaited(self) -> Step | None:
        """The reply that must come next, None when the session is at rest."""
        return self._awaited[0] if self._awaited else None

    @property
    def is_spent(self) -> bool:
        """Whether no more messages may begin here: told to end, or the limit per connection is reached."""
        return self.is_ending or 0 < self._limit <= self._n_begun

    @property
    def has_only_asked(self) -> bool:
        """Whether the server said nothing since the session was at rest, as when a kept connection was closed."""
        return self._finishing is None and self.awaited in (self._mail, self._reset)

    def receive(self, data: bytes) -> None:
        """Take bytes from the server and settle what they decide. SmtpError ends the session: call `lost` then."""
        awaited = self._awaited
        for reply in self._parser.feed(data):
            if reply.code == 421:
                self._on_closing(reply)
            if not awaited:
                raise SmtpError(TroubleKind.PROTOCOL, f"an answer to nothing: {reply}")
            awaited.popleft().answer(reply)
        if self._parser.error:
            raise SmtpError(TroubleKind.PROTOCOL, self._parser.error)

    def next_flight(self) -> tuple[bytes, bytes]:
        """What to write now: a message body (or nothing), and what follows it, beginning with its final dot."""
        body = tail = b""
        if self._may_write_body and self._opening is not None:
            body, tail = self._finish(self._opening)
        elif self._owes_dot:
            self._owes_dot = False
            self._awaited.append(self._lone_dot)
            tail = _DOT
        if self._pipelining or not self._awaited:
            if not self._group_is_open:
                self._open_next()
            if self._to_say:
                tail += self._say()
        return body, tail

    def recall(self, is_recalled: Callable[[Envelope], bool]) -> None:
        """Settle a recalled message that sent nothing but its addresses; what has begun to leave goes on.

        A server that then waits for its body is hung up on: after 354 there is no other way to send nothing.
        """
        envelope = self._opening
        if envelope is not None and not self._may_write_body and is_recalled(envelope):
            self._opening = None
            self._was_recalled = True
            self._host.settle(envelope, RECALLED)

    def lost(self, reason: str) -> None:
        """The connection is gone: what may have left whole is uncertain, what has not is given back unsent."""
        finishing, self._finishing = self._finishing, None
        opening, self._opening = self._opening, None
        self._awaited.clear()
        if finishing is not None and self.is_held:
            self._host.give_back(finishing, reason)
        elif finishing is not None:
            text = f"sent whole, but no answer came: {reason}"
            self._host.settle(finishing, Outcome(Result.UNCERTAIN, text=text[:MAX_TEXT]))
        if opening is not None:
            self._host.give_back(opening, reason)

    # What is said.

    def _open_next(self) -> None:
        envelope = self._pull()
        if envelope is None:
            return
        self._opening = envelope
        self._group_is_open = True
        self._sender_was_taken = self._recipient_was_taken = self._was_recalled = False
        if self._owes_reset:
            self._owes_reset = False
            self._to_say.append(b"RSET\r\n")
            self._to_await.append(self._reset)
        mail = b"MAIL FROM:<%b>%b\r\n" % (envelope.sender, self._parameters(envelope))
        self._to_say.extend((mail, b"RCPT TO:<%b>\r\n" % envelope.recipient, *self._data_line))
        self._to_await.extend(self._group)

    def _pull(self) -> Envelope | None:
        while not self.is_spent:
            envelope = self._host.pull()
            if envelope is None:
                return None
            problem = problem_with(envelope, self._features)
            if problem is None:
                self._n_begun += 1
                return envelope
            self._host.settle(envelope, Outcome(Result.FAILED, text=problem))
        return None

    def _parameters(self, envelope: Envelope) -> bytes:
        # Without 8BITMIME an 8-bit body is sent all the same: every server in use passes it, and the alternative is
        # to encode again what DKIM has signed (RFC 6376 section 5.3).
        if envelope.eightbit and self._features.eightbitmime:
            return b" BODY=8BITMIME SMTPUTF8" if self._needs_utf8(envelope) else b" BODY=8BITMIME"
        return b" SMTPUTF8" if self._needs_utf8(envelope) else b""

    @staticmethod
    def _needs_utf8(envelope: Envelope) -> bool:
        return envelope.smtputf8 or not (envelope.recipient.isascii() and envelope.sender.isascii())

    def _say(self) -> bytes:
        if not self._pipelining:
            self._awaited.append(self._to_await.popleft())
            return self._to_say.popleft()
        lines = b"".join(self._to_say)
        self._to_say.clear()
        self._awaited.extend(self._to_await)
        self._to_await.clear()
        return lines

    def _finish(self, envelope: Envelope) -> tuple[bytes, bytes]:
        self._may_write_body = False
        self._opening, self._finishing = None, envelope
        self._awaited.append(self._dot)
        if not self._chunking:
            return envelope.data, _DOT
        # The last two bytes of a chunk end it as the dot does, so they are what is held back.
        data = unstuffed(envelope.data)
        return b"BDAT %d LAST\r\n%b" % (len(data), data[:-2]), data[-2:]

    # What the answers mean.

    def _on_mail(self, reply: Reply) -> None:
        if reply.code < 300:
            self._sender_was_taken = True
        else:
            self._refuse(reply)

    def _on_rcpt(self, reply: Reply) -> None:
        if reply.code < 300:
            self._recipient_was_taken = True
        else:
            self._refuse(reply)
        if self._chunking and self._group_is_open:
            self._end_group(may_write=self._opening is not None)

    def _on_data(self, reply: Reply) -> None:
        if reply.code < 300:
            raise SmtpError(TroubleKind.PROTOCOL, f"no answer to DATA: {reply}")
        if reply.code >= 400:
            self._refuse(reply)
            self._end_group(may_write=False)
        elif self._opening is not None:
            self._end_group(may_write=True)
        elif self._was_recalled:
            raise SmtpError(TroubleKind.RECALLED, "the message was recalled")
        elif self._recipient_was_taken:
            # It refused MAIL and takes RCPT and DATA: a lone dot might deliver an empty message.
            raise SmtpError(TroubleKind.PROTOCOL, f"takes a message whose sender it refused: {reply}")
        else:
            # RFC 2920 section 3.1: no recipient is left, but the server waits for a message.
            self._group_is_open = False
            self._owes_dot = True

    def _on_dot(self, reply: Reply) -> None:
        outcome = outcome_of(reply)
        if outcome is None:
            raise SmtpError(TroubleKind.PROTOCOL, f"no answer to the end of a message: {reply}")
        if self.is_held and reply.code < 300:
            # It claims a message that it has not got whole; nobody can know what it does with it.
            self.is_held = False
            raise SmtpError(TroubleKind.PROTOCOL, f"accepts a message before its end: {reply}")
        self._owes_reset = self._chunking and reply.code >= 400
        self._settle_finishing(outcome)
        if self.is_held:
            raise SmtpError(TroubleKind.CLOSED, f"refuses a message before its end: {reply.text}", reply.code)

    def _on_nothing(self, reply: Reply) -> None:
        """RSET and the dot of a refused message decide nothing, whatever is answered."""

    def _on_closing(self, reply: Reply) -> None:
        if self.awaited is self._dot and not self.is_held:
            self._settle_finishing(outcome_of(reply))
        raise SmtpError(TroubleKind.CLOSED, reply.text, reply.code)

    def _settle_finishing(self, outcome: Outcome | None) -> None:
        envelope, self._finishing = self._finishing, None
        if envelope is not None and outcome is not None:
            self.n_answered += 1
            self._host.settle(envelope, outcome)

    def _refuse(self, reply: Reply) -> None:
        envelope = self._opening
        if envelope is None:
            return  # refused before: the rest of its group is an echo
        outcome = outcome_of(reply)
        if outcome is None or outcome.result is Result.ACCEPTED or reply.code in _ABOUT_THE_SESSION:
            kind = TroubleKind.AUTH if reply.code in _DEMANDS else TroubleKind.PROTOCOL
            raise SmtpError(kind, reply.text, reply.code)
        self._opening = None
        self.n_answered += 1
        self._host.settle(envelope, outcome)
        if not self._pipelining and self._group_is_open:
            self._to_say.clear()
            self._to_await.clear()
            self._end_group(may_write=False)

    def _end_group(self, *, may_write: bool) -> None:
        self._group_is_open = False
        self._may_write_body = may_write
        self._owes_reset = self._sender_was_taken and not may_write


def _uses_chunking(policy: Chunking, features: Features, *, pipelining: bool) -> bool:
    if not features.chunking or policy is Chunking.NEVER:
        return False
    return policy is Chunking.ALWAYS or not pipelining
