"""Who meddles with the conversation, or writes commands into addresses, gets nothing sent that was not meant."""

from __future__ import annotations

from delivery.outcomes import Outcome, Result
from delivery.smtp import Tls, TroubleKind
from tests.delivery.smtp.engine import Engine, Run, config, envelope, send
from tests.delivery.smtp.scripted import On, ScriptedServer


def test_what_is_said_in_clear_behind_the_starttls_answer_ends_the_connection(run: Run) -> None:
    async def main() -> None:
        rule = On("STARTTLS", reply=b"220 go\r\n250 injected.example\r\n")
        async with ScriptedServer(rule, features=("STARTTLS", "AUTH PLAIN")) as server:
            engine = Engine(envelope(1))
            settings = config(server.port, tls=Tls.STARTTLS, username="a", password="secret")
            pool = engine.pool(settings)
            pool.open(1)
            await engine.until(lambda: bool(engine.troubles))
            await pool.close()
        assert engine.troubles[0].kind is TroubleKind.TLS
        assert engine.troubles[0].text == "the server talks in clear where TLS must begin"
        assert server.verbs() == ["EHLO", "STARTTLS"]
        assert not engine.outcomes

    run(main())


def test_an_address_with_a_command_in_it_never_reaches_the_wire(run: Run) -> None:
    async def main() -> None:
        bad = envelope(1)._replace(recipient=b"x@y>\r\nRCPT TO:<victim@there.example")
        async with ScriptedServer() as server:
            engine = await send(config(server.port), bad, envelope(2))
        assert engine.result(1) is Result.FAILED
        assert server.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
        assert server.accepted == [b"2@there.example"]

    run(main())


def test_a_non_ascii_address_fails_with_a_clear_text_where_smtputf8_is_missing(run: Run) -> None:
    async def main() -> None:
        message = envelope(1)._replace(recipient="jörg@there.example".encode())
        async with ScriptedServer(features=("PIPELINING",)) as server:
            engine = await send(config(server.port), message)
        assert engine.outcome(1) == Outcome(
            Result.FAILED, text="the address is not ASCII and needs SMTPUTF8, which the server does not announce"
        )
        assert server.received == []

    run(main())
