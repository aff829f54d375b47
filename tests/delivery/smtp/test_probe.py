"""Trying an account and sending a single test message."""

from __future__ import annotations

from delivery.outcomes import Outcome, Result
from delivery.smtp import ProbeReport, Trouble, TroubleKind, probe, send_one
from tests.delivery.smtp.engine import Run, config, envelope
from tests.delivery.smtp.scripted import On, ScriptedServer


def test_a_probe_tells_features_and_times_and_begins_no_message(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("NOOP", delay=0.02, reply="250 ok")) as server:
            report = await probe(config(server.port))
        assert report.is_ready
        assert report.features.pipelining
        assert report.features.size == 10485760
        assert report.tls == ""
        assert report.connected_in > 0
        assert report.round_trip > 0.01  # uvloop's timers are early by up to a millisecond
        assert server.verbs() == ["EHLO", "NOOP", "QUIT"]

    run(main())


def test_a_probe_gives_the_servers_own_words(run: Run) -> None:
    async def main() -> None:
        rule = On("AUTH", reply="535 5.7.8 Username and Password not accepted")
        async with ScriptedServer(rule, features=("AUTH PLAIN",)) as server:
            report = await probe(config(server.port, username="a", password="b"))
        assert not report.is_ready
        assert report.trouble == Trouble(TroubleKind.AUTH, "5.7.8 Username and Password not accepted", 535)
        assert str(report.trouble) == "535 5.7.8 Username and Password not accepted"

    run(main())


def test_a_probe_of_a_closed_port_and_of_a_server_that_hangs_up_fail_in_words(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("NOOP", then="close")) as server:
            report = await probe(config(server.port))
        assert report.trouble == Trouble(TroubleKind.CLOSED, "the server hung up instead of answering NOOP.")
        assert report.features.pipelining
        closed = await probe(config(server.port))
        assert closed == ProbeReport(closed.trouble, connected_in=closed.connected_in)
        assert closed.trouble is not None
        assert closed.trouble.kind is TroubleKind.CONNECT

    run(main())


def test_one_message_is_sent_and_the_connection_closed(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("RCPT", reply="550 5.1.1 who?", match=b"<2@")) as server:
            first = await send_one(config(server.port), envelope(1))
            second = await send_one(config(server.port), envelope(2))
        assert first.result is Result.ACCEPTED
        assert second == Outcome(Result.REFUSED, 550, "5.1.1", "who?")
        assert server.accepted == [b"1@there.example"]
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]

    run(main())


def test_one_message_that_finds_no_server_is_deferred_with_the_reason(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("CONNECT", reply="554 5.7.1 blocked", then="close")) as server:
            outcome = await send_one(config(server.port), envelope(1))
        assert outcome == Outcome(Result.DEFERRED, 554, text="not sent: 5.7.1 blocked")

    run(main())


def test_one_message_whose_connection_dies_gets_another(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("DATA", connection=0, then="reset")) as server:
            outcome = await send_one(config(server.port), envelope(1)._replace(eightbit=True))
        assert outcome.result is Result.ACCEPTED
        assert server.received[0].parameters == b"BODY=8BITMIME"

    run(main())
