"""Whether an https address answers with a certificate that browsers accept, and as Fanfare: one finding in words."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from cryptography import x509

from .dns_check import Finding, Level

TOPIC = "HTTPS"
SECONDS = 5.0
# Let's Encrypt renews a month before the end; two weeks before it something is wrong with the renewal.
SOON = timedelta(days=14)
# The pixel answers every token with a GIF; nothing is written for one that is no token.
PATH = "/o/is-anybody-there"

Visit = Callable[[str], Finding]

# Verify errors of OpenSSL (x509_vfy.h) that people can do something about.
EXPIRED, NOT_YET, WRONG_NAME, WRONG_ADDRESS = 10, 9, 62, 64
SELF_SIGNED = (18, 19)
UNKNOWN_ISSUER = (2, 20, 21)


def visit_https(
    origin: str,
    *,
    now: datetime | None = None,
    context: ssl.SSLContext | None = None,
    address: tuple[str, int] | None = None,
) -> Finding:
    """Ask once, within five seconds a step. `context` and `address` stand for the system's roots and name servers."""
    parts = urlsplit(origin)
    if parts.scheme != "https":
        words = f"Links begin with {parts.scheme}://, so browsers warn of them. Give {parts.hostname} a certificate and"
        return Finding(TOPIC, Level.WARNING, f"{words} set its address to https://{parts.hostname}.")
    host = parts.hostname or ""
    place = address or (host, parts.port or 443)
    try:
        with socket.create_connection(place, timeout=SECONDS) as plain:
            return _greeted(plain, parts, context or ssl.create_default_context(), now or datetime.now(UTC))
    except ssl.SSLCertVerificationError as error:
        return _refused(host, place, error)
    except OSError as error:
        return _failed(host, place, error)


def _greeted(plain: socket.socket, parts: SplitResult, context: ssl.SSLContext, now: datetime) -> Finding:
    host = parts.hostname or ""
    with context.wrap_socket(plain, server_hostname=host) as secure:
        raw = secure.getpeercert(binary_form=True)
        request = f"GET {PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Fanfare\r\nConnection: close\r\n\r\n"
        secure.sendall(request.encode("ascii", "replace"))
        answer = _head_of(secure)
    until = x509.load_der_x509_certificate(raw or b"").not_valid_after_utc
    if not (answer.startswith(b"HTTP/1.1 200") and b"image/gif" in answer.lower()):
        said = answer.split(b"\r\n", 1)[0].decode("ascii", "replace")[:60] or "nothing"
        words = f"{host} has a valid certificate, but it is not Fanfare that answers there ({said})."
        return Finding(TOPIC, Level.FAILURE, f"{words} Links and unsubscribe pages would fail: check the proxy.")
    if until - now < SOON:
        words = f"The certificate of {host} ends on {until:%-d %B %Y}: see why it was not renewed."
        return Finding(TOPIC, Level.WARNING, words)
    return Finding(TOPIC, Level.OK, f"{host} answers, with a certificate that is valid until {until:%-d %B %Y}.")


def _head_of(secure: ssl.SSLSocket) -> bytes:
    """The status line and the headers; what comes in more than 20 pieces is no answer."""
    answer = b""
    for _ in range(20):
        piece = secure.recv(4096)
        answer += piece
        if not piece or b"\r\n\r\n" in answer:
            break
    return answer.partition(b"\r\n\r\n")[0]


def _refused(host: str, place: tuple[str, int], error: ssl.SSLCertVerificationError) -> Finding:
    """Why browsers would not go on; the certificate is fetched once more, to say what it is."""
    found = _certificate(host, place)
    match error.verify_code:
        case code if code == EXPIRED:
            ended = f" on {found.not_valid_after_utc:%-d %B %Y}" if found else ""
            words = f"The certificate of {host} ended{ended}. Renew it"
        case code if code == NOT_YET:
            words = f"The certificate of {host} is not valid yet. Check the clocks of both machines"
        case code if code in (WRONG_NAME, WRONG_ADDRESS):
            words = f"{host} shows a certificate for {_names(found)}, not for itself. Get one that names {host}"
        case code if code in SELF_SIGNED:
            words = f"The certificate of {host} is self-signed. Get one from an authority that browsers know"
        case code if code in UNKNOWN_ISSUER:
            words = (
                f"Nobody that browsers know vouches for the certificate of {host}, or the server leaves out the chain"
            )
            words += " between. Install the full chain"
        case _:
            words = f"The certificate of {host} is not accepted ({error.verify_message})"
    return Finding(TOPIC, Level.FAILURE, f"{words}: browsers refuse its links and unsubscribe pages.")


def _certificate(host: str, place: tuple[str, int]) -> x509.Certificate | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # to read it; nothing is sent
    with (
        contextlib.suppress(OSError, ValueError),
        socket.create_connection(place, timeout=SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    return None


def _names(found: x509.Certificate | None) -> str:
    if found is None:
        return "another name"
    with contextlib.suppress(x509.ExtensionNotFound):
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        return ", ".join(dns[:5]) or "no name"
    return "no name"


def _failed(host: str, place: tuple[str, int], error: OSError) -> Finding:
    where = f"{host} at port {place[1]}"
    if isinstance(error, TimeoutError):
        words = f"{where} did not answer within {SECONDS:.0f} seconds"
    elif isinstance(error, socket.gaierror):
        words = f"{host} leads to no address"
    elif isinstance(error, ConnectionRefusedError):
        words = f"No server listens on {where}"
    elif isinstance(error, ssl.SSLError):
        words = f"What listens on {where} does not speak TLS ({error.reason or error})"
    else:
        words = f"{where} could not be reached ({error.strerror or error})"
    return Finding(TOPIC, Level.FAILURE, f"{words}: links and unsubscribe pages would fail.")
