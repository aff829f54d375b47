"""Servers that hang up, fall silent or talk nonsense: no message is lost, sent twice, or called what it is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.outcomes import Outcome, Result
from delivery.smtp import Tls, Trouble, TroubleKind
from tests.delivery.smtp.engine import BIG, QUICK, Engine, Run, config, envelope, send
from tests.delivery.smtp.scripted import On, ScriptedServer, server_context

ENDS = ["close", "reset", "half-close"]


# After the final dot: nobody can know


@pytest.mark.parametrize("end", ENDS)
def test_a_hang_up_instead_of_the_last_answer_is_uncertain_and_not_sent_again(run: Run, end: str) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", match=b"2@", then=end)) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 5)))
        assert [message.recipient for message in server.received] == [b"%d@there.example" % n for n in (1, 2, 3, 4)]
        assert [engine.result(n) for n in (1, 2, 3, 4)] == [
            Result.ACCEPTED,
            Result.UNCERTAIN,
            Result.ACCEPTED,
            Result.ACCEPTED,
        ]
        assert engine.outcome(2).text.startswith("sent whole, but no answer came: the server hung up instead of")
        assert [trouble.kind for trouble in engine.troubles] == [TroubleKind.CLOSED]
        assert server.n_connections == 2

    run(main())


def test_silence_after_the_last_dot_is_uncertain_when_its_time_is_over(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", match=b"1@", then="freeze")) as server:
            settings = config(server.port, timeouts=replace(QUICK, dot=0.05))
            engine = await send(settings, envelope(1), envelope(2))
        assert (engine.result(1), engine.result(2)) == (Result.UNCERTAIN, Result.ACCEPTED)
        (trouble,) = engine.troubles
        assert (trouble.kind, trouble.text) == (TroubleKind.TIMEOUT, "no answer to the end of a message in time")

    run(main())


def test_nonsense_instead_of_the_last_answer_is_uncertain(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", match=b"1@", reply=b"\x00\x01 nonsense\r\n")) as server:
            engine = await send(config(server.port), envelope(1), envelope(2))
        assert (engine.result(1), engine.result(2)) == (Result.UNCERTAIN, Result.ACCEPTED)
        assert engine.troubles[0].kind is TroubleKind.PROTOCOL
        assert engine.troubles[0].text == "not an SMTP reply: 'nonsense'"

    run(main())


@pytest.mark.parametrize(
    "reply", [b"250 " + b"x" * 5000 + b"\r\n", b"250-x\r\n" * 200 + b"250 ok\r\n", b"250 never ends" * 400]
)
def test_an_endless_answer_is_uncertain(run: Run, reply: bytes) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", match=b"1@", reply=reply)) as server:
            engine = await send(config(server.port), envelope(1))
        assert engine.result(1) is Result.UNCERTAIN
        assert engine.troubles[0].kind is TroubleKind.PROTOCOL

    run(main())


def test_421_to_the_last_dot_is_a_deferral(run: Run) -> None:
    async def main() -> None:
        rule = On(".", match=b"1@", reply="421 4.3.2 try again in 10 minutes", then="close", times=1)
        async with ScriptedServer(rule) as server:
            engine = await send(config(server.port), envelope(1), envelope(2))
        assert engine.outcome(1) == Outcome(Result.DEFERRED, 421, "4.3.2", "try again in 10 minutes", retry_after=600)
        assert server.accepted == [b"2@there.example"]

    run(main())


# Before it: provably unsent, so another connection takes the message


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("end", ENDS)
def test_a_hang_up_before_the_body_sends_the_message_over_another_connection(run: Run, verb: str, end: str) -> None:
    async def main() -> None:
        async with ScriptedServer(On(verb, connection=0, skip=1, then=end)) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 4)))
        assert server.accepted == [b"1@there.example", b"2@there.example", b"3@there.example"]
        assert {engine.result(n) for n in range(1, 4)} == {Result.ACCEPTED}
        assert server.n_connections == 2

    run(main())


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_421_in_mid_pipeline_sends_the_message_over_another_connection(run: Run, verb: str) -> None:
    async def main() -> None:
        rule = On(verb, connection=0, skip=1, reply="421 4.7.0 too many", then="close")
        async with ScriptedServer(rule) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 4)))
        assert server.accepted == [b"1@there.example", b"2@there.example", b"3@there.example"]
        assert engine.troubles == [Trouble(TroubleKind.CLOSED, "4.7.0 too many", 421)]

    run(main())


def test_silence_before_the_body_sends_the_message_over_another_connection(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("RCPT", connection=0, then="freeze")) as server:
            settings = config(server.port, timeouts=replace(QUICK, rcpt=0.3))
            engine = await send(settings, envelope(1))
        assert server.accepted == [b"1@there.example"]
        assert engine.result(1) is Result.ACCEPTED
        (trouble,) = engine.troubles
        assert (trouble.kind, trouble.text) == (TroubleKind.TIMEOUT, "no answer to RCPT TO in time")

    run(main())


def test_a_body_that_the_server_stops_reading_is_provably_unsent(run: Run) -> None:
    async def main() -> None:
        rule = On("BODY", at_byte=1000, connection=0, then="freeze")
        async with ScriptedServer(rule, features=("PIPELINING",)) as server:
            settings = config(server.port, timeouts=replace(QUICK, block=1))
            engine = await send(settings, envelope(1, BIG), envelope(2))
        assert (engine.result(1), engine.result(2)) == (Result.ACCEPTED, Result.ACCEPTED)
        assert [replace(trouble, retry_in=0.0) for trouble in engine.troubles] == [
            Trouble(TroubleKind.TIMEOUT, "the server reads no more of the message")
        ]
        assert sorted(server.accepted) == [b"1@there.example", b"2@there.example"]


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_hang_up_in_the_middle_of_a_big_body_is_provably_unsent(run: Run, end: str) -> None:
    async def main() -> None:
        rule = On("BODY", at_byte=1000, times=1, then=end)
        async with ScriptedServer(rule, features=("PIPELINING",)) as server:
            engine = await send(config(server.port), envelope(1, BIG), envelope(2))
        assert (engine.result(1), engine.result(2)) == (Result.ACCEPTED, Result.ACCEPTED)
        assert sorted(server.accepted) == [b"1@there.example", b"2@there.example"]
        assert server.n_broken == 1

    run(main())


def test_a_refusal_in_the_middle_of_a_big_body_is_its_verdict(run: Run) -> None:
    async def main() -> None:
        rule = On("BODY", at_byte=1000, times=1, reply="552 5.3.4 too big", then="freeze")
        async with ScriptedServer(rule, features=("PIPELINING",)) as server:
            engine = await send(config(server.port), envelope(1, BIG), envelope(2))
        assert engine.outcome(1) == Outcome(Result.REFUSED, 552, "5.3.4", "too big")
        assert server.accepted == [b"2@there.example"]

    run(main())


def test_nonsense_before_the_body_sends_the_message_over_another_connection(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("RCPT", connection=0, reply="hello?")) as server:
            engine = await send(config(server.port), envelope(1), envelope(2))
        assert sorted(server.accepted) == [b"1@there.example", b"2@there.example"]
        assert [trouble.kind for trouble in engine.troubles] == [TroubleKind.PROTOCOL]

    run(main())


def test_a_message_that_kills_three_connections_is_deferred_and_the_others_go_on(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("RCPT", match=b"<2@", then="close")) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 6)), n_connections=2)
        assert sorted(server.accepted) == [b"%d@there.example" % n for n in (1, 3, 4, 5)]
        assert engine.result(2) is Result.DEFERRED
        assert engine.outcome(2).text == "not sent: the server hung up instead of answering RCPT TO"
        assert [verb for n in range(server.n_connections) for verb in server.verbs(n)].count("RCPT") == 7

    run(main())


def test_a_demand_for_login_blames_the_account_and_not_the_recipient(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("MAIL", reply="530 5.7.0 authentication required")) as server:
            engine = await send(config(server.port), envelope(1))
        assert engine.outcome(1) == Outcome(Result.DEFERRED, text="not sent: 530 5.7.0 authentication required")
        assert engine.troubles[0].kind is TroubleKind.AUTH

    run(main())


# No connection to be had


def test_refused_connections_cost_no_message_and_are_tried_again_ever_later(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            port = server.port
        engine = Engine(envelope(1))
        pool = engine.pool(config(port))
        pool.open(3)
        await engine.until(lambda: len(engine.troubles) == 3)
        assert pool.in_flight() == 0
        assert len(engine.waiting) == 1
        async with ScriptedServer(port=port) as server:
            await engine.until(lambda: 1 in engine.outcomes)
            await pool.close()
        assert engine.result(1) is Result.ACCEPTED
        assert {trouble.kind for trouble in engine.troubles} == {TroubleKind.CONNECT}
        assert engine.troubles[0].text.startswith(f"cannot connect to 127.0.0.1:{port}: ")
        for n in range(3):
            assert 0.005 * 2**n <= engine.troubles[n].retry_in <= 0.01 * 2**n

    run(main())


def test_a_server_that_dies_leaves_what_was_pulled_deferred(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("DATA", then="freeze")) as server:
            engine = Engine(envelope(1), envelope(2))
            pool = engine.pool(config(server.port))
            pool.open(1)
            while not any(line == b"DATA" for _, line in server.lines):
                await asyncio.sleep(0.001)
        await engine.until(lambda: 1 in engine.outcomes)
        assert engine.outcome(1).result is Result.DEFERRED
        assert engine.outcome(1).text == "not sent: the server hung up instead of answering DATA"
        assert len(engine.waiting) == 1
        await pool.close()

    run(main())


def test_an_unknown_host_is_named(run: Run) -> None:
    async def main() -> None:
        engine = Engine(envelope(1))
        pool = engine.pool(replace(config(25), host="no-such-host.invalid"))
        pool.open(1)
        await engine.until(lambda: bool(engine.troubles))
        await pool.close()
        assert engine.troubles[0].kind is TroubleKind.DNS
        assert engine.troubles[0].text.startswith("no-such-host.invalid: ")
        assert not engine.outcomes

    run(main())


def test_a_source_address_that_is_not_ours_is_trouble_with_connecting(run: Run) -> None:
    async def main() -> None:
        engine = Engine(envelope(1))
        pool = engine.pool(config(25, source_address="192.0.2.1"))
        pool.open(1)
        await engine.until(lambda: bool(engine.troubles))
        await pool.close()
        assert engine.troubles[0].kind is TroubleKind.CONNECT
        assert not engine.outcomes

    run(main())


@pytest.mark.parametrize(
    ("rule", "trouble"),
    [
        (On("CONNECT", reply="554 5.7.1 blocked", then="close"), Trouble(TroubleKind.GREETING, "5.7.1 blocked", 554)),
        (On("CONNECT", reply="421 busy", then="close"), Trouble(TroubleKind.GREETING, "busy", 421)),
        (On("EHLO", reply="550 who are you"), Trouble(TroubleKind.GREETING, "who are you", 550)),
        (On("CONNECT", reply="SSH-2.0-OpenSSH"), Trouble(TroubleKind.PROTOCOL, "not an SMTP reply: 'SSH-2.0-OpenSSH'")),
        (
            On("CONNECT", then="close"),
            Trouble(TroubleKind.CLOSED, "the server hung up instead of answering the greeting."),
        ),
        (On("CONNECT", then="freeze"), Trouble(TroubleKind.TIMEOUT, "no answer to the greeting within 0.1 s")),
        (
            On("EHLO", reply=b"250 scripted\r\n421 4.3.2 closing\r\n", then="close"),
            Trouble(TroubleKind.CLOSED, "4.3.2 closing", 421),
        ),
    ],
)
def test_a_server_that_does_not_let_us_in_costs_no_message(run: Run, rule: On, trouble: Trouble) -> None:
    async def main() -> None:
        async with ScriptedServer(replace(rule)) as server:
            engine = Engine(envelope(1))
            waits = replace(QUICK, greeting=0.1) if rule.then == "freeze" else QUICK
            pool = engine.pool(config(server.port, timeouts=waits))
            pool.open(2)
            await engine.until(lambda: bool(engine.troubles))
            await pool.close()
        assert replace(engine.troubles[0], retry_in=0.0) == trouble
        assert (dict(engine.outcomes), len(engine.waiting)) == ({}, 1)

    run(main())


def test_a_slow_banner_is_waited_for(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("CONNECT", reply="220-wait\r\n220 scripted", delay=0.1)) as server:
            engine = await send(config(server.port), envelope(1))
        assert (engine.result(1), engine.troubles) == (Result.ACCEPTED, [])

    run(main())


def test_a_rejected_login_costs_no_message_and_is_not_hammered(run: Run) -> None:
    async def main() -> None:
        rule = On("AUTH", reply="535 5.7.8 bad credentials")
        async with ScriptedServer(rule, features=("AUTH PLAIN",)) as server:
            engine = Engine(envelope(1))
            pool = engine.pool(config(server.port, username="a", password="secret"))
            pool.open(5)
            await engine.until(lambda: bool(engine.troubles))
            await asyncio.sleep(0.1)
            await pool.close()
            assert server.n_connections == 1
        (trouble,) = engine.troubles
        assert (trouble.kind, trouble.text, trouble.code) == (TroubleKind.AUTH, "5.7.8 bad credentials", 535)
        assert 15 <= trouble.retry_in <= 30
        assert not engine.outcomes

    run(main())


def test_a_limit_of_connections_at_the_server_leaves_those_that_are_up_working(run: Run) -> None:
    async def main() -> None:
        refuse = On("CONNECT", reply="421 4.7.0 too many connections from you", skip=2, then="close")
        async with ScriptedServer(refuse, On(".", delay=0.002)) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(60)), n_connections=8)
        assert {engine.result(n) for n in range(60)} == {Result.ACCEPTED}
        assert {trouble.text for trouble in engine.troubles} == {"4.7.0 too many connections from you"}
        assert len(server.accepted) == 60

    run(main())


# Over TLS


@pytest.mark.parametrize(
    ("rule", "result", "n_taken"),
    [
        (On(".", match=b"1@", then="close"), Result.UNCERTAIN, 1),
        (On(".", match=b"1@", then="reset"), Result.UNCERTAIN, 1),
        (On("DATA", connection=0, then="close"), Result.ACCEPTED, 1),
        (On("RCPT", connection=0, reply="421 4.3.2 closing", then="close"), Result.ACCEPTED, 1),
        (On("BODY", at_byte=1000, connection=0, then="close"), Result.ACCEPTED, 1),
        (On("BODY", at_byte=1000, connection=0, then="freeze"), Result.ACCEPTED, 1),
    ],
)
def test_faults_mean_the_same_over_tls(run: Run, certificate: Path, rule: On, result: Result, n_taken: int) -> None:
    async def main() -> None:
        tls = server_context(certificate)
        async with ScriptedServer(replace(rule), features=("PIPELINING",), tls=tls) as server:
            waits = replace(QUICK, block=1)
            settings = config(server.port, tls=Tls.IMPLICIT, ca_file=str(certificate), timeouts=waits)
            engine = await send(settings, envelope(1, BIG), envelope(2))
        assert (engine.result(1), engine.result(2)) == (result, Result.ACCEPTED)
        recipients = [message.recipient for message in server.received]
        assert (recipients.count(b"1@there.example"), recipients.count(b"2@there.example")) == (n_taken, 1)

    run(main())
