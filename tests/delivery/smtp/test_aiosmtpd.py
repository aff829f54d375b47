"""The client against aiosmtpd: TLS both ways, logins, SMTPUTF8, 8BITMIME."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from delivery.outcomes import Result
from delivery.smtp import Auth, SmtpConfig, Tls, TroubleKind, probe
from tests.delivery.smtp.engine import Run, config, envelope, send
from tests.delivery.smtp.scripted import loop_in_thread, server_context

UTF8_BODY = "Subject: Grüße\r\n\r\nÄpfel und Birnen\r\n".encode()


@dataclass
class Inbox:
    """aiosmtpd's handler: keeps what came in."""

    messages: list[tuple[str, str, bytes, list[str]]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Session, message: Envelope) -> str:  # noqa: N802
        assert message.mail_from is not None
        assert isinstance(message.content, bytes)
        self.messages.append((message.mail_from, message.rcpt_tos[0], message.content, list(message.mail_options)))
        return "250 2.0.0 Ok: queued as AIO1"


def check_login(server: Any, session: Session, message: Envelope, mechanism: str, secret: Any) -> AuthResult:
    """Accept one name and password."""
    is_right = isinstance(secret, LoginPassword) and (secret.login, secret.password) == (b"fan", "färe".encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def serving(inbox: Inbox, ssl_context: ssl.SSLContext | None = None, **settings: Any) -> Iterator[int]:
    """An aiosmtpd in a thread of its own; gives its port."""

    async def start() -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: SMTP(inbox, loop=loop, **settings),
            "127.0.0.1",
            0,
            ssl=ssl_context,
        )

    async def stop(server: asyncio.Server) -> None:
        server.close()
        # Each conversation is a task that ends when the client hangs up.
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        if talks:
            _, stuck = await asyncio.wait(talks, timeout=1)
            for task in stuck:
                task.cancel()
        await asyncio.sleep(0.01)

    with loop_in_thread() as call:
        server = call(start())
        yield server.sockets[0].getsockname()[1]
        call(stop(server))


@contextmanager
def encrypted(inbox: Inbox, certificate: Path, tls: Tls, **more: Any) -> Iterator[SmtpConfig]:
    """An aiosmtpd that speaks TLS, and the configuration for it."""
    context = server_context(certificate)
    settings = {"ssl_context": context} if tls is Tls.IMPLICIT else {"tls_context": context, "require_starttls": True}
    with serving(inbox, **settings, **more) as port:
        yield replace(config(port), tls=tls, ca_file=str(certificate))


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_mail_goes_over_a_verified_tls_connection(run: Run, certificate: Path, tls: Tls) -> None:
    inbox = Inbox()
    with encrypted(inbox, certificate, tls) as settings:
        engine = run(send(settings, *(envelope(n) for n in range(20)), n_connections=3))
        report = run(probe(settings))
    assert {engine.result(n) for n in range(20)} == {Result.ACCEPTED}
    assert engine.outcome(0).provider_id == "AIO1"
    assert sorted(recipient for _, recipient, _, _ in inbox.messages) == sorted(f"{n}@there.example" for n in range(20))
    assert report.is_ready
    assert report.tls.startswith("TLSv1.3 ")


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_certificate_that_is_not_trusted_stops_everything(run: Run, certificate: Path, tls: Tls) -> None:
    inbox = Inbox()
    with encrypted(inbox, certificate, tls) as settings:
        report = run(probe(replace(settings, ca_file=None)))
        assert report.trouble is not None
        assert report.trouble.kind is TroubleKind.TLS
        assert report.trouble.text.startswith("the certificate of 127.0.0.1 is not trusted: self-signed certificate")
        assert run(probe(replace(settings, ca_file=None, verify=False))).is_ready


def test_a_certificate_of_another_name_is_not_trusted(run: Run, certificate: Path) -> None:
    with encrypted(Inbox(), certificate, Tls.IMPLICIT) as settings:
        report = run(probe(replace(settings, host="localhost.localdomain")))
    assert report.trouble is not None
    assert report.trouble.kind in (TroubleKind.TLS, TroubleKind.DNS)


def test_a_plain_server_on_a_tls_port_and_a_missing_ca_file_are_told_as_such(run: Run) -> None:
    with serving(Inbox()) as port:
        plain = run(probe(config(port, tls=Tls.IMPLICIT)))
        unreadable = run(probe(config(port, tls=Tls.IMPLICIT, ca_file="/nowhere/ca.pem")))
    assert plain.trouble is not None
    assert plain.trouble.kind is TroubleKind.TLS
    assert unreadable.trouble is not None
    assert unreadable.trouble.kind is TroubleKind.TLS
    assert unreadable.trouble.text.startswith("cannot read the CA file")


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_big_body_arrives_whole_over_tls(run: Run, certificate: Path, tls: Tls) -> None:
    data = (b"0123456789" * 50 + b"\r\n") * 6_000
    inbox = Inbox()
    with encrypted(inbox, certificate, tls, data_size_limit=10_000_000) as settings:
        run(send(settings, envelope(1, data), envelope(2, data)))
    assert [content for _, _, content, _ in inbox.messages] == [data, data]


@pytest.mark.parametrize("auth", [Auth.AUTO, Auth.PLAIN, Auth.LOGIN])
def test_the_client_logs_in_over_tls(run: Run, certificate: Path, auth: Auth) -> None:
    inbox = Inbox()
    rules = {"authenticator": check_login, "auth_required": True}
    with encrypted(inbox, certificate, Tls.STARTTLS, **rules) as settings:
        account = replace(settings, username="fan", password="färe", auth=auth)
        engine = run(send(account, envelope(1)))
        wrong = run(probe(replace(account, password="wrong")))
    assert engine.result(1) is Result.ACCEPTED
    assert wrong.trouble is not None
    assert (wrong.trouble.kind, wrong.trouble.code) == (TroubleKind.AUTH, 535)


def test_utf8_addresses_and_bodies_arrive_as_they_are(run: Run) -> None:
    inbox = Inbox()
    message = envelope(1, UTF8_BODY)._replace(recipient="jörg@там.example".encode(), smtputf8=True, eightbit=True)
    with serving(inbox, enable_SMTPUTF8=True) as port:
        engine = run(send(config(port), message))
    assert engine.result(1) is Result.ACCEPTED
    assert inbox.messages == [("b+1@here.example", "jörg@там.example", UTF8_BODY, ["BODY=8BITMIME", "SMTPUTF8"])]


def test_utf8_addresses_fail_before_the_wire_where_the_server_lacks_smtputf8(run: Run) -> None:
    inbox = Inbox()
    with serving(inbox, enable_SMTPUTF8=False) as port:
        engine = run(send(config(port), envelope(1)._replace(recipient="jörg@there.example".encode())))
    assert engine.result(1) is Result.FAILED
    assert inbox.messages == []
