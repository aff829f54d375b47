"""The pool against a server that does as it is told: sending, keeping, growing and shrinking connections."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from delivery.outcomes import Result
from delivery.smtp import Chunking
from tests.delivery.smtp.engine import BIG, BODY, QUICK, Engine, Run, config, envelope, send
from tests.delivery.smtp.scripted import On, ScriptedServer, in_thread

UNSTUFFED = BODY.replace(b"\r\n..", b"\r\n.")


def test_a_message_arrives_unstuffed_and_is_accepted_with_the_servers_id(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = await send(config(server.port), envelope(1))
        (message,) = server.received
        assert (message.sender, message.recipient) == (b"b+1@here.example", b"1@there.example")
        assert message.data == UNSTUFFED
        outcome = engine.outcome(1)
        assert (outcome.result, outcome.code, outcome.enhanced) == (Result.ACCEPTED, 250, "2.0.0")
        assert outcome.provider_id == "Q0"
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
        assert engine.troubles == []

    run(main())


def test_hundreds_of_messages_over_several_connections_arrive_once_each(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(300)), n_connections=5)
        assert sorted(server.accepted) == sorted(b"%d@there.example" % n for n in range(300))
        assert {engine.result(n) for n in range(300)} == {Result.ACCEPTED}
        assert server.n_connections == server.most_open == 5
        assert {message.data for message in server.received} == {UNSTUFFED}

    run(main())


def test_chunks_arrive_as_the_same_message(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(features=("PIPELINING", "CHUNKING")) as server:
            settings = config(server.port, chunking=Chunking.ALWAYS)
            engine = await send(settings, *(envelope(n) for n in range(3)))
        assert [message.data for message in server.received] == [UNSTUFFED] * 3
        assert {engine.result(n) for n in range(3)} == {Result.ACCEPTED}
        assert server.verbs()[:6] == ["EHLO", "MAIL", "RCPT", "BDAT", "MAIL", "RCPT"]

    run(main())


def test_a_server_without_extensions_is_served_one_command_at_a_time(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("EHLO", reply="500 what?")) as server:
            engine = await send(config(server.port), envelope(1), envelope(2))
        assert server.verbs() == ["EHLO", "HELO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]
        assert server.accepted == [b"1@there.example", b"2@there.example"]
        assert engine.troubles == []

    run(main())


def test_a_refused_recipient_gets_no_message_and_the_others_theirs(run: Run) -> None:
    async def main() -> None:
        rules = (
            On("RCPT", reply="550 5.1.1 no such user", match=b"<2@"),
            On("RCPT", reply="450 4.2.1 try again in 5 minutes", match=b"<4@"),
            On("DATA", reply="354 go on then"),
        )
        async with ScriptedServer(*rules) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 6)))
        assert server.accepted == [b"1@there.example", b"3@there.example", b"5@there.example"]
        assert server.n_lone_dots == 2
        assert engine.outcome(2).result is Result.REFUSED
        assert (engine.outcome(4).result, engine.outcome(4).retry_after) == (Result.DEFERRED, 300)
        assert server.n_connections == 1

    run(main())


def test_a_recipient_refused_with_data_refused_too_costs_a_reset_only(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("RCPT", reply="550 5.1.1 no such user", match=b"<2@")) as server:
            engine = await send(config(server.port), *(envelope(n) for n in range(1, 4)))
        assert server.accepted == [b"1@there.example", b"3@there.example"]
        assert server.verbs()[4:9] == ["MAIL", "RCPT", "DATA", "RSET", "MAIL"]
        assert engine.result(2) is Result.REFUSED

    run(main())


# Keeping connections


def test_a_connection_is_kept_between_two_drains(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = Engine(envelope(1))
            pool = engine.pool(config(server.port))
            pool.open(3)
            await engine.until(lambda: 1 in engine.outcomes)
            await pool.idle()
            engine.waiting.append(envelope(2))
            pool.wake()
            await engine.until(lambda: 2 in engine.outcomes)
            assert pool.n_connections == 1
            await pool.close()
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA", "QUIT"]
        assert server.n_connections == 1

    run(main())


def test_nothing_to_send_opens_one_connection_at_most_and_says_no_mail(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            pool = Engine().pool(config(server.port))
            pool.open(5)
            await asyncio.sleep(0.05)
            assert pool.in_flight() == 0
            await pool.idle()
            await pool.close()
        assert server.n_connections == 1
        assert server.verbs() == ["EHLO", "QUIT"]

    run(main())


def test_a_kept_connection_found_closed_is_replaced_without_a_word(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On("MAIL", match=b"<b+2@", times=1, then="close")) as server:
            engine = Engine(envelope(1))
            pool = engine.pool(config(server.port))
            pool.open(1)
            await engine.until(lambda: 1 in engine.outcomes)
            engine.waiting.append(envelope(2))
            pool.wake()
            await engine.until(lambda: 2 in engine.outcomes)
            await pool.close()
        assert server.accepted == [b"1@there.example", b"2@there.example"]
        assert server.n_connections == 2
        assert engine.troubles == []

    run(main())


def test_a_connection_that_the_server_closes_at_rest_is_no_trouble(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = Engine(envelope(1))
            pool = engine.pool(config(server.port))
            pool.open(1)
            await engine.until(lambda: 1 in engine.outcomes)
            for talk in server._talks:
                talk.cancel()
            while pool.n_connections:
                await asyncio.sleep(0.001)
            engine.waiting.append(envelope(2))
            pool.wake()
            await engine.until(lambda: 2 in engine.outcomes)
            await pool.close()
        assert (server.n_connections, engine.troubles) == (2, [])

    run(main())


def test_an_unused_connection_is_given_up_after_its_time(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = Engine(envelope(1))
            pool = engine.pool(config(server.port, timeouts=replace(QUICK, idle=0.05)))
            pool.open(1)
            await engine.until(lambda: 1 in engine.outcomes)
            while pool.n_connections:
                await asyncio.sleep(0.005)
            assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
            await pool.close()
        assert engine.troubles == []

    run(main())


def test_after_so_many_messages_a_connection_is_replaced(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            settings = config(server.port, max_messages_per_connection=2)
            await send(settings, *(envelope(n) for n in range(5)))
        assert [server.verbs(n).count("MAIL") for n in range(3)] == [2, 2, 1]
        assert [server.verbs(n)[-1] for n in range(3)] == ["QUIT"] * 3
        assert (len(server.accepted), server.most_open) == (5, 1)

    run(main())


def test_the_pool_never_has_more_connections_than_wanted(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            settings = config(server.port, max_messages_per_connection=3)
            engine = await send(settings, *(envelope(n) for n in range(100)), n_connections=4)
        assert server.most_open == 4
        assert len(engine.outcomes) == len(server.accepted) == 100

    run(main())


def test_shrinking_finishes_what_was_begun_and_keeps_the_rest_for_others(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", delay=0.01)) as server:
            engine = Engine(*(envelope(n) for n in range(60)))
            pool = engine.pool(config(server.port))
            pool.open(4)
            await engine.until(lambda: len(engine.outcomes) >= 8)
            pool.open(1)
            while pool.n_connections > 1:
                await asyncio.sleep(0.005)
            assert engine.waiting
            pool.open(2)
            await engine.until(lambda: len(engine.outcomes) == 60)
            await pool.close()
        assert sorted(server.accepted) == sorted(b"%d@there.example" % n for n in range(60))
        assert engine.troubles == []

    run(main())


def test_closing_finishes_messages_and_begins_none(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", delay=0.05)) as server:
            engine = Engine(*(envelope(n) for n in range(10)))
            pool = engine.pool(config(server.port))
            pool.open(1)
            await engine.until(lambda: len(engine.outcomes) == 1)
            await pool.close()
            assert pool.in_flight() == 0
            assert len(engine.outcomes) + len(engine.waiting) == 10
            assert {engine.result(n) for n in engine.outcomes} == {Result.ACCEPTED}
            assert len(server.accepted) == len(engine.outcomes)
            pool.wake()
            await asyncio.sleep(0.02)
            assert server.n_connections == 1

    run(main())


def test_closing_a_pool_whose_server_is_silent_leaves_the_message_uncertain(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(On(".", then="freeze")) as server:
            engine = Engine(envelope(1), envelope(2))
            pool = engine.pool(config(server.port))
            pool.open(1)
            while not server.received:
                await asyncio.sleep(0.005)
            await pool.close(grace=0.05)
            assert pool.in_flight() == 0
        assert engine.result(1) is Result.UNCERTAIN
        assert engine.outcome(2).text == "not sent: given up while closing"
        assert engine.result(2) is Result.DEFERRED

    run(main())


# Around it


def test_work_added_from_inside_settle_is_sent(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            engine = Engine(envelope(0))

            def settle(key: int, outcome: object) -> None:
                if key < 5:
                    engine.waiting.append(envelope(key + 1))
                    pool.wake()
                else:
                    done.set()

            done = asyncio.Event()
            engine.settle = settle  # type: ignore[method-assign]
            pool = engine.pool(config(server.port))
            pool.open(2)
            await asyncio.wait_for(done.wait(), 5)
            await pool.close()
        assert len(server.accepted) == 6

    run(main())


def test_the_source_address_is_bound(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            await send(config(server.port, source_address="127.0.0.9"), envelope(1))
        assert server.peers == ["127.0.0.9"]

    run(main())


def test_a_limit_on_new_connections_is_asked_before_each(run: Run) -> None:
    async def main() -> None:
        asked = iter([0.0, 0.03, 0.03, *[0.0] * 100])
        async with ScriptedServer() as server:
            engine = Engine(*(envelope(n) for n in range(6)))
            settings = config(server.port, max_messages_per_connection=2)
            pool = engine.pool(settings, may_connect=lambda: next(asked))
            pool.open(1)
            await engine.until(lambda: len(engine.outcomes) == 6)
            await pool.close()
        assert (server.n_connections, len(server.accepted)) == (3, 6)

    run(main())


def test_a_limit_that_refused_is_not_asked_again_before_its_time(run: Run) -> None:
    """Every answer of the server and every wake would otherwise be a call to Redis on the event loop."""

    async def main() -> None:
        asked = []

        def may_connect() -> float:
            asked.append(1)
            return 0.0 if len(asked) == 1 else 60.0

        async with ScriptedServer() as server:
            engine = Engine(*(envelope(n) for n in range(20)))
            pool = engine.pool(config(server.port), may_connect=may_connect)
            pool.open(2)
            while len(engine.outcomes) < 20:
                pool.wake()
                await asyncio.sleep(0.001)
            await pool.close()
        assert (len(asked), server.n_connections, len(server.accepted)) == (2, 1, 20)

    run(main())


def test_a_big_message_over_a_slow_line_arrives_whole(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer(features=("PIPELINING",)) as server:
            await send(config(server.port), envelope(1, BIG), envelope(2, BIG), envelope(3))
        assert [len(message.data) for message in server.received] == [len(BIG), len(BIG), len(UNSTUFFED)]
        assert server.received[0].data == BIG

    run(main())


def test_a_server_in_a_thread_serves_like_one_in_the_loop(run: Run) -> None:
    with in_thread(ScriptedServer(On("RCPT", reply="550 no", match=b"<2@"))) as server:
        engine = run(send(config(server.port), envelope(1), envelope(2)))
    assert (engine.result(1), engine.result(2)) == (Result.ACCEPTED, Result.REFUSED)
    assert server.accepted == [b"1@there.example"]
