"""SASL logins of RFC 4954: PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) and XOAUTH2, as generators of answers.

A login is told the server's challenges and gives the responses, undecorated; base64 is the caller's.
The first value is the initial response, None where the mechanism lets the server speak first.
"""

from __future__ import annotations

import hmac
from collections.abc import Generator

from delivery.smtp.config import Auth, SmtpConfig, Tls
from delivery.smtp.errors import SmtpError, TroubleKind

Login = Generator[bytes | None, bytes, None]

# CRAM-MD5 keeps the password off a plain line; over TLS it only forces the server to store it in clear.
_ORDER_OVER_TLS = (Auth.PLAIN, Auth.LOGIN, Auth.CRAM_MD5)
_ORDER_IN_CLEAR = (Auth.CRAM_MD5, Auth.PLAIN, Auth.LOGIN)


def choose_mechanism(config: SmtpConfig, announced: frozenset[str]) -> Auth:
    """The mechanism to use, or SmtpError when the server announces none that fits."""
    order = _ORDER_IN_CLEAR if config.tls is Tls.NONE else _ORDER_OVER_TLS
    wanted = order if config.auth is Auth.AUTO else (config.auth,)
    for mechanism in wanted:
        if mechanism.value.upper() in announced:
            return mechanism
    offer = " ".join(sorted(announced)) or "no AUTH at all"
    names = " or ".join(mechanism.value.upper() for mechanism in wanted)
    raise SmtpError(TroubleKind.AUTH, f"login needs {names}; the server offers {offer}")


def begin_login(mechanism: Auth, username: str, password: str) -> Login:
    """The generator that plays the client's side of `mechanism`."""
    match mechanism:
        case Auth.LOGIN:
            return _login(username, password)
        case Auth.CRAM_MD5:
            return _cram_md5(username, password)
        case Auth.XOAUTH2:
            return _xoauth2(username, password)
        case Auth.PLAIN | Auth.AUTO:
            return _plain(username, password)


def _plain(username: str, password: str) -> Login:
    secret = f"\0{username}\0{password}".encode()
    yield secret
    # Some servers ignore the initial response and ask for it with an empty 334.
    yield secret


def _login(username: str, password: str) -> Login:
    yield None
    yield username.encode()
    yield password.encode()


def _cram_md5(username: str, password: str) -> Login:
    challenge = yield None
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    yield f"{username} {digest}".encode()


def _xoauth2(username: str, token: str) -> Login:
    yield f"user={username}\x01auth=Bearer {token}\x01\x01".encode()
    # Google and Microsoft send the reason as a 334 challenge and want an empty answer before the 535.
    yield b""
