"""The conversation before the first message, without sockets: greeting, EHLO, STARTTLS, AUTH.

A generator yields what to do next, is sent the server's reply, and returns the announced features.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Generator
from dataclasses import dataclass

from delivery.smtp.auth import Login, begin_login, choose_mechanism
from delivery.smtp.config import SmtpConfig, Tls
from delivery.smtp.errors import SmtpError, TroubleKind
from delivery.smtp.features import Features, parse_features
from delivery.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Say:
    """Write `line`, if any, and bring the reply within `timeout` seconds; `about` names the step for people."""

    line: bytes
    timeout: float
    about: str


@dataclass(frozen=True, slots=True)
class StartTls:
    """Turn the connection into a TLS one, then send the last reply once more.

    Whatever the server sent in clear after its 220 was put there by someone else (RFC 3207 section 6).
    """


Handshake = Generator[Say | StartTls, Reply, Features]


def shake_hands(config: SmtpConfig) -> Handshake:
    """Bring a fresh connection to where MAIL can be said. SmtpError tells what the server refused, in its words."""
    _expect((yield Say(b"", config.timeouts.greeting, "the greeting")), 220, TroubleKind.GREETING)
    features = yield from _hello(config)
    if config.tls is Tls.STARTTLS:
        features = yield from _start_tls(config, features)
    if config.username:
        yield from _log_in(config, features)
    return features


def _hello(config: SmtpConfig) -> Handshake:
    name = config.helo_name.encode("ascii" if config.helo_name.isascii() else "idna")
    reply = yield Say(b"EHLO " + name + b"\r\n", config.timeouts.hello, "EHLO")
    if reply.code in (500, 502, 504):
        # A server that knows HELO only: RFC 5321 section 3.2.
        _expect((yield Say(b"HELO " + name + b"\r\n", config.timeouts.hello, "HELO")), 250, TroubleKind.GREETING)
        return Features()
    return parse_features(_expect(reply, 250, TroubleKind.GREETING))


def _start_tls(config: SmtpConfig, features: Features) -> Handshake:
    if not features.starttls:
        raise SmtpError(TroubleKind.TLS, "the server does not offer STARTTLS")
    _expect((yield Say(b"STARTTLS\r\n", config.timeouts.tls, "STARTTLS")), 220, TroubleKind.TLS)
    yield StartTls()
    # RFC 3207 section 4.2: what was announced in clear must be forgotten.
    return (yield from _hello(config))


def _log_in(config: SmtpConfig, features: Features) -> Generator[Say, Reply, None]:
    mechanism = choose_mechanism(config, features.auth)
    login = begin_login(mechanism, config.username, config.password)
    line = b"AUTH " + mechanism.value.upper().encode()
    initial = next(login)
    if initial is not None:
        line += b" " + base64.b64encode(initial)
    reply = yield Say(line + b"\r\n", config.timeouts.auth, "AUTH")
    reason = ""
    while reply.code == 334:
        challenge = _decoded(reply)
        # XOAUTH2 servers give the reason as JSON here, and it says more than the 535 that follows.
        reason = challenge.decode("utf-8", "replace") if challenge.startswith(b"{") else reason
        reply = yield Say(_response(login, challenge) + b"\r\n", config.timeouts.auth, "AUTH")
    if not 200 <= reply.code < 300:
        raise SmtpError(TroubleKind.AUTH, f"{reply.text} {reason}".strip(), reply.code)


def _decoded(reply: Reply) -> bytes:
    try:
        return base64.b64decode(b"".join(reply.lines), validate=True)
    except binascii.Error:
        # Some servers prompt for LOGIN in plain text, and LOGIN does not read its challenges.
        return b" ".join(reply.lines)


def _response(login: Login, challenge: bytes) -> bytes:
    try:
        return base64.b64encode(login.send(challenge) or b"")
    except StopIteration:
        raise SmtpError(TroubleKind.AUTH, "the server asks for more than the login mechanism has to say") from None


def _expect(reply: Reply, code: int, kind: TroubleKind) -> Reply:
    if reply.code != code:
        raise SmtpError(kind, reply.text, reply.code)
    return reply
