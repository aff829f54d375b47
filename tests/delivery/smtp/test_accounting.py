"""Whatever servers and networks do: every message has one outcome, and it is true."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from delivery.outcomes import Outcome, Result
from delivery.smtp.config import Chunking, SmtpConfig
from delivery.smtp.envelope import Envelope
from delivery.smtp.errors import SmtpError
from delivery.smtp.features import Features
from delivery.smtp.session import Session
from tests.delivery.smtp.engine import QUICK, Engine, config, envelope, in_fresh_loop
from tests.delivery.smtp.scripted import On, ScriptedServer

N_MESSAGES = 4
MAX_TRIES = 3

# What a server does at a step; most of the time what it should.
DEEDS = st.sampled_from(["ok"] * 8 + ["450", "550", "354", "421", "503", "530", "noise", "close"])


class Desk:
    """The session's host: what comes back unsent is waiting again, three times at most."""

    def __init__(self) -> None:
        self.waiting = deque(
            Envelope(k, b"s%d" % k, b"r%d" % k, b"..body %d\r\n.." % k + b"\r\n" * k) for k in range(1, N_MESSAGES + 1)
        )
        self.outcomes: dict[int, list[Outcome]] = {k: [] for k in range(1, N_MESSAGES + 1)}
        self.tries: Counter[int] = Counter()
        self.n_out = 0

    def pull(self) -> Envelope | None:
        if not self.waiting:
            return None
        self.n_out += 1
        return self.waiting.popleft()

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        self.n_out -= 1
        self.outcomes[envelope.key].append(outcome)

    def give_back(self, envelope: Envelope, reason: str) -> None:
        self.tries[envelope.key] += 1
        if self.tries[envelope.key] < MAX_TRIES:
            self.n_out -= 1
            self.waiting.append(envelope)
        else:
            self.settle(envelope, Outcome(Result.DEFERRED, text=reason))


class Model:
    """A server that obeys the protocol where it is not told to break it, and knows what it has taken."""

    def __init__(self, data: st.DataObject, took: list[bytes]) -> None:
        self._data = data
        self._took = took
        self._buffer = b""
        self._in_body = False
        self._chunk = 0
        self._sender = self._recipient = b""
        self.is_closed = False

    def feed(self, raw: bytes) -> bytes:
        """What it answers to these bytes."""
        self._buffer += raw
        answer = b""
        while not self.is_closed:
            reply = self._next()
            if reply is None:
                return answer
            answer += reply
        return answer

    def _next(self) -> bytes | None:
        if self._in_body:
            body, end, rest = (b"\r\n" + self._buffer).partition(b"\r\n.\r\n")
            if not end:
                return None
            self._in_body, self._buffer = False, rest
            return self._finish(body)
        if self._chunk:
            if len(self._buffer) < self._chunk:
                return None
            self._buffer, self._chunk = self._buffer[self._chunk :], 0
            return self._finish(b"chunk")
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return None
        self._buffer = rest
        return self._command(line)

    def _command(self, line: bytes) -> bytes:
        verb = line.split(b" ")[0]
        if verb == b"BDAT":
            self._chunk = int(line.split(b" ")[1])
            return b""
        if verb == b"RSET":
            self._sender = self._recipient = b""
            return b"250 reset\r\n"
        is_right = {
            b"MAIL": not self._sender,
            b"RCPT": bool(self._sender),
            b"DATA": bool(self._recipient),
        }[verb]
        deed = self._data.draw(DEEDS) if is_right else "503"
        if verb == b"DATA" and self._sender and not is_right:
            deed = self._data.draw(st.sampled_from(["354", "503", "554"]))
        if deed == "ok":
            self._note(verb, line)
            return b"354 go\r\n" if verb == b"DATA" else b"250 fine\r\n"
        if deed == "354" and verb == b"DATA":
            self._in_body = True
        return self._misdeed(deed)

    def _note(self, verb: bytes, line: bytes) -> None:
        address = line.partition(b"<")[2].partition(b">")[0]
        if verb == b"MAIL":
            self._sender = address
        elif verb == b"RCPT":
            self._recipient = address
        else:
            self._in_body = True

    def _finish(self, body: bytes) -> bytes:
        recipient, self._sender, self._recipient = self._recipient, b"", b""
        if not recipient:
            return self._data.draw(st.sampled_from([b"554 no recipient\r\n", b"250 an empty one\r\n"]))
        deed = self._data.draw(DEEDS)
        # What it took is taken, whether or not it can say so.
        if deed in ("ok", "354", "noise", "close"):
            self._took.append(recipient)
        return b"250 taken\r\n" if deed == "ok" else self._misdeed(deed)

    def _misdeed(self, deed: str) -> bytes:
        self.is_closed = deed in ("421", "close")
        return {"noise": b"noise\r\n", "close": b""}.get(deed, deed.encode() + b" so it is\r\n")


def fly(data: st.DataObject, session: Session) -> tuple[bytes, bool]:
    """What the next flight brings to the server, and whether the network breaks off there."""
    body, tail = session.next_flight()
    cut = data.draw(st.sampled_from(["no"] * 18 + ["anywhere", "in the body"]))
    if cut == "in the body" and body:
        session.is_held = True
        return body[: data.draw(st.integers(0, len(body) - 1))], True
    if cut == "anywhere":
        return (body + tail)[: data.draw(st.integers(0, len(body + tail)))], True
    return body + tail, False


def converse(data: st.DataObject, session: Session, model: Model) -> None:
    """One connection from its first flight to its end; the network may cut it anywhere, in both directions."""
    answers = b""
    is_cut = False
    while not is_cut:
        flight, is_cut = fly(data, session)
        if not flight and not answers and session.awaited is None:
            return
        answers += model.feed(flight)
        if is_cut:
            answers = answers[: data.draw(st.integers(0, len(answers)))]
        try:
            answers = hear(data, session, answers, all_of_it=is_cut)
        except SmtpError as error:
            session.lost(str(error))
            return
        is_cut = is_cut or (model.is_closed and not answers)
    session.lost("cut")


def hear(data: st.DataObject, session: Session, answers: bytes, *, all_of_it: bool) -> bytes:
    """Pass the next piece of the answers to the client; gives what is left."""
    n = len(answers) if all_of_it or not answers else data.draw(st.sampled_from([len(answers), 1, len(answers) // 2]))
    session.receive(answers[:n])
    return answers[n:]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.booleans(), st.booleans())
def test_every_outcome_is_given_once_and_is_true(data: st.DataObject, pipelining: bool, chunking: bool) -> None:
    desk = Desk()
    took: list[bytes] = []
    features = Features(pipelining=pipelining, chunking=chunking)
    account = SmtpConfig("mx", chunking=Chunking.ALWAYS)
    while desk.waiting:
        converse(data, Session(account, features, desk), Model(data, took))
        assert desk.n_out == 0
    check({k: desk.outcomes[k] for k in desk.outcomes}, {k: took.count(b"r%d" % k) for k in desk.outcomes})


def check(outcomes: dict[int, list[Outcome]], n_taken: dict[int, int]) -> None:
    """Assert the promise: one outcome each; accepted means taken; taken means accepted or uncertain; never twice."""
    for key, found in outcomes.items():
        (outcome,) = found
        event(outcome.result.name)
        assert n_taken[key] <= 1
        if outcome.result is Result.ACCEPTED:
            assert n_taken[key] == 1
        elif outcome.result is not Result.UNCERTAIN:
            assert n_taken[key] == 0


RULES = st.builds(
    On,
    verb=st.sampled_from(["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", ".", ".", "BDAT", "RSET", "LONE"]),
    reply=st.sampled_from(
        [None, "450 4.2.0 later", "550 5.1.1 no", "421 4.3.2 closing", "noise", "354 go on", "250 fine"]
    ),
    skip=st.integers(0, 8),
    times=st.integers(1, 3),
    then=st.sampled_from(["go on", "go on", "close", "reset", "half-close"]),
)


def is_bearable(rule: On) -> bool:
    """Whether a client can bear the rule: not a server that takes what it has not got, or says no at the door."""
    is_lie = rule.reply == "250 fine" and rule.verb in ("DATA", "BDAT")
    return not is_lie and not (rule.verb in ("CONNECT", "EHLO") and rule.reply in ("550 5.1.1 no", "250 fine"))


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(RULES.filter(is_bearable), max_size=5),
    st.sampled_from([("PIPELINING",), (), ("PIPELINING", "CHUNKING"), ("CHUNKING",)]),
    st.integers(1, 3),
    st.booleans(),
)
def test_a_pool_among_faults_gives_every_outcome_once_and_truly(
    rules: list[On], features: tuple[str, ...], n_connections: int, on_uvloop: bool
) -> None:
    async def main() -> tuple[Engine, ScriptedServer]:
        engine = Engine(*(envelope(k) for k in range(12)))
        server = ScriptedServer(*(replace(rule) for rule in rules), features=features)
        async with server:
            waits = replace(QUICK, redial=0.001)
            pool = engine.pool(config(server.port, timeouts=waits, chunking=Chunking.ALWAYS))
            pool.open(n_connections)
            await engine.until(lambda: len(engine.outcomes) == 12)
            await pool.close()
            assert pool.in_flight() == 0
        return engine, server

    engine, server = in_fresh_loop(main(), on_uvloop=on_uvloop)
    taken = Counter(message.recipient for message in server.received if not message.reply.startswith((b"4", b"5")))
    check(dict(engine.outcomes), {k: taken[b"%d@there.example" % k] for k in range(12)})
