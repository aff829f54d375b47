"""Greeting, EHLO, STARTTLS and logins, without sockets."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from delivery.smtp.config import Auth, SmtpConfig, Tls
from delivery.smtp.errors import SmtpError, Trouble, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.handshake import Say, StartTls, shake_hands
from delivery.smtp.replies import Reply

# RFC 2195 section 2.
CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
ANSWER = b"tim b913a602c7eda7a495b4e6e7334d3890"


def talk(config: SmtpConfig, *replies: bytes) -> tuple[list[bytes], Features]:
    """Play the server's replies; give what the client said (TLS as b"TLS") and what it found."""
    steps = shake_hands(config)
    said: list[bytes] = []
    step = next(steps)
    script = iter(replies)
    while True:
        said.append(b"TLS" if isinstance(step, StartTls) else step.line.removesuffix(b"\r\n"))
        raw = next(script).split(b"\n") if isinstance(step, Say) else [b"220 "]
        try:
            step = steps.send(Reply(int(raw[0][:3]), tuple(line[4:] for line in raw)))
        except StopIteration as done:
            return said, done.value


def trouble(config: SmtpConfig, *replies: bytes) -> Trouble:
    """What the handshake fails with."""
    with pytest.raises(SmtpError) as caught:
        talk(config, *replies)
    return caught.value.trouble


def account(tls: Tls = Tls.IMPLICIT, **more: Any) -> SmtpConfig:
    """An account with a login."""
    return SmtpConfig("mx", tls=tls, username="tim", password="tanstaaftanstaaf", helo_name="here.example", **more)


def test_ehlo_tells_the_features() -> None:
    said, features = talk(SmtpConfig("mx", helo_name="here.example"), b"220 hi", b"250-mx\n250 PIPELINING")
    assert said == [b"", b"EHLO here.example"]
    assert features.pipelining


def test_a_server_without_ehlo_gets_helo_and_has_no_features() -> None:
    said, features = talk(SmtpConfig("mx"), b"220 hi", b"502 what", b"250 ok")
    assert said == [b"", b"EHLO localhost", b"HELO localhost"]
    assert features == Features()


def test_a_refused_greeting_is_told_in_the_servers_words() -> None:
    assert trouble(SmtpConfig("mx"), b"554 5.7.1 blocked") == Trouble(TroubleKind.GREETING, "5.7.1 blocked", 554)
    assert trouble(SmtpConfig("mx"), b"220 hi", b"421 busy") == Trouble(TroubleKind.GREETING, "busy", 421)


def test_after_starttls_what_was_announced_in_clear_is_forgotten() -> None:
    config = SmtpConfig("mx", tls=Tls.STARTTLS)
    said, features = talk(
        config, b"220 hi", b"250-mx\n250-PIPELINING\n250 STARTTLS", b"220 go", b"250-mx\n250 CHUNKING"
    )
    assert said == [b"", b"EHLO localhost", b"STARTTLS", b"TLS", b"EHLO localhost"]
    assert (features.pipelining, features.chunking) == (False, True)


def test_without_starttls_no_mail_goes_out_in_clear() -> None:
    config = SmtpConfig("mx", tls=Tls.STARTTLS)
    assert trouble(config, b"220 hi", b"250 mx") == Trouble(TroubleKind.TLS, "the server does not offer STARTTLS")
    refused = trouble(config, b"220 hi", b"250-mx\n250 STARTTLS", b"454 4.7.0 not now")
    assert refused == Trouble(TroubleKind.TLS, "4.7.0 not now", 454)


@pytest.mark.parametrize("prompts", [(), (b"334 ",)])
def test_plain_sends_name_and_password_at_once_and_again_when_asked(prompts: tuple[bytes, ...]) -> None:
    said, _ = talk(account(), b"220 hi", b"250-mx\n250 AUTH PLAIN LOGIN", *prompts, b"235 ok")
    secret = base64.b64encode(b"\0tim\0tanstaaftanstaaf")
    assert said[2:] == [b"AUTH PLAIN " + secret, *[secret] * len(prompts)]


@pytest.mark.parametrize("prompts", [(b"334 VXNlcm5hbWU6", b"334 UGFzc3dvcmQ6"), (b"334 Username:", b"334 Password:")])
def test_login_answers_two_prompts(prompts: tuple[bytes, ...]) -> None:
    said, _ = talk(account(auth=Auth.LOGIN), b"220 hi", b"250-mx\n250 AUTH PLAIN LOGIN", *prompts, b"235 ok")
    assert said[2:] == [b"AUTH LOGIN", b"dGlt", base64.b64encode(b"tanstaaftanstaaf")]


def test_cram_md5_gives_the_digest_of_rfc_2195() -> None:
    said, _ = talk(
        account(auth=Auth.CRAM_MD5),
        b"220 hi",
        b"250-mx\n250 AUTH CRAM-MD5",
        b"334 " + base64.b64encode(CHALLENGE),
        b"235 ok",
    )
    assert said[2:] == [b"AUTH CRAM-MD5", base64.b64encode(ANSWER)]


def test_xoauth2_sends_the_token_and_tells_the_reason_of_a_refusal() -> None:
    config = SmtpConfig("mx", tls=Tls.IMPLICIT, username="a@b.example", password="token", auth=Auth.XOAUTH2)
    hello = (b"220 hi", b"250-mx\n250 AUTH XOAUTH2 PLAIN")
    said, _ = talk(config, *hello, b"235 ok")
    assert said[2] == b"AUTH XOAUTH2 " + base64.b64encode(b"user=a@b.example\x01auth=Bearer token\x01\x01")
    reason = base64.b64encode(b'{"status":"400"}')
    found = trouble(config, *hello, b"334 " + reason, b"535 5.7.8 no")
    assert found == Trouble(TroubleKind.AUTH, '5.7.8 no {"status":"400"}', 535)


@pytest.mark.parametrize(
    ("tls", "offer", "chosen"),
    [
        (Tls.IMPLICIT, b"CRAM-MD5 LOGIN PLAIN", b"AUTH PLAIN"),
        (Tls.STARTTLS, b"CRAM-MD5 LOGIN", b"AUTH LOGIN"),
        (Tls.NONE, b"CRAM-MD5 LOGIN PLAIN", b"AUTH CRAM-MD5"),
        (Tls.NONE, b"LOGIN PLAIN", b"AUTH PLAIN"),
    ],
)
def test_the_mechanism_keeps_the_password_off_plain_lines_where_it_can(tls: Tls, offer: bytes, chosen: bytes) -> None:
    hello = b"250-mx\n250-STARTTLS\n250 AUTH " + offer
    before = [b"220 hi", hello, *([b"220 go", hello] if tls is Tls.STARTTLS else [])]
    said, _ = talk(account(tls), *before, b"235 ok")
    assert said[-1].startswith(chosen)


def test_a_login_that_the_server_does_not_offer_is_named() -> None:
    found = trouble(account(auth=Auth.XOAUTH2), b"220 hi", b"250-mx\n250 AUTH PLAIN LOGIN")
    assert found == Trouble(TroubleKind.AUTH, "login needs XOAUTH2; the server offers LOGIN PLAIN")
    found = trouble(account(), b"220 hi", b"250 mx")
    assert found == Trouble(
        TroubleKind.AUTH, "login needs PLAIN or LOGIN or CRAM-MD5; the server offers no AUTH at all"
    )


def test_a_rejected_login_is_told_in_the_servers_words() -> None:
    found = trouble(account(), b"220 hi", b"250-mx\n250 AUTH PLAIN", b"535 5.7.8 bad credentials")
    assert found == Trouble(TroubleKind.AUTH, "5.7.8 bad credentials", 535)
    assert found.is_permanent


def test_a_server_that_never_stops_asking_is_left() -> None:
    prompts = [b"334 "] * 3
    found = trouble(account(auth=Auth.LOGIN), b"220 hi", b"250-mx\n250 AUTH LOGIN", *prompts)
    assert found == Trouble(TroubleKind.AUTH, "the server asks for more than the login mechanism has to say")


def test_the_password_is_in_no_representation() -> None:
    assert "tanstaaf" not in repr(account())
