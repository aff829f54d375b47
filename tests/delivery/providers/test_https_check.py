"""The tracking host's certificate, looked at on real TLS servers: every way it can be wrong, in words."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.providers import https_check
from delivery.providers.dns_check import Finding
from delivery.providers.https_check import visit_https
from tests.delivery.providers.tls_server import Authority, make_authority, serving, write_certificate

HOST = "mail.acme.example"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


def day(after: int) -> str:
    return f"{NOW + timedelta(days=after):%-d %B %Y}"


def visit(authority: Authority, address: tuple[str, int], origin: str = f"https://{HOST}") -> tuple[str, str]:
    found = visit_https(origin, context=authority.trusting(), address=address)
    assert found.topic == "HTTPS"
    return found.level.value, found.words


def shown(authority: Authority, certificate: Path) -> tuple[str, str]:
    with serving(certificate) as address:
        return visit(authority, address)


def test_a_valid_certificate_is_good_until_its_last_two_weeks(authority: Authority, tmp_path: Path) -> None:
    good = write_certificate(tmp_path / "a", HOST, authority, days=60)
    assert shown(authority, good) == ("ok", f"{HOST} answers, with a certificate that is valid until {day(60)}.")
    soon = write_certificate(tmp_path / "b", HOST, authority, days=13)
    assert shown(authority, soon) == (
        "warning", f"The certificate of {HOST} ends on {day(13)}: see why it was not renewed.",
    )  # fmt: skip


REFUSED = "browsers refuse its links and unsubscribe pages."


def test_an_expired_certificate(authority: Authority, tmp_path: Path) -> None:
    expired = write_certificate(tmp_path / "a", HOST, authority, days=-2)
    assert shown(authority, expired) == (
        "failure", f"The certificate of {HOST} ended on {day(-2)}. Renew it: {REFUSED}",
    )  # fmt: skip


def test_a_certificate_of_tomorrow(authority: Authority, tmp_path: Path) -> None:
    early = write_certificate(tmp_path / "a", HOST, authority, before=-1)
    words = f"The certificate of {HOST} is not valid yet. Check the clocks of both machines: {REFUSED}"
    assert shown(authority, early) == ("failure", words)


def test_a_certificate_of_another_name(authority: Authority, tmp_path: Path) -> None:
    other = write_certificate(tmp_path / "a", "shop.acme.example", authority)
    words = f"{HOST} shows a certificate for shop.acme.example, not for itself. Get one that names {HOST}: {REFUSED}"
    assert shown(authority, other) == ("failure", words)


def test_a_self_signed_certificate(authority: Authority, tmp_path: Path) -> None:
    own = write_certificate(tmp_path / "a", HOST, None)
    words = f"The certificate of {HOST} is self-signed. Get one from an authority that browsers know: {REFUSED}"
    assert shown(authority, own) == ("failure", words)


def test_a_certificate_of_an_authority_that_nobody_knows(authority: Authority, tmp_path: Path) -> None:
    strange = write_certificate(tmp_path / "a", HOST, make_authority())
    level, words = shown(authority, strange)
    assert level == "failure"
    assert words in {
        f"Nobody that browsers know vouches for the certificate of {HOST}, or the server leaves out the chain between."
        f" Install the full chain: {REFUSED}",
        f"The certificate of {HOST} is not accepted (certificate signature failure): {REFUSED}",
    }


def test_another_site_that_answers(authority: Authority, tmp_path: Path) -> None:
    good = write_certificate(tmp_path / "a", HOST, authority)
    with serving(good, b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n") as address:
        level, words = visit(authority, address)
    assert level == "failure"
    assert words.startswith(
        f"{HOST} has a valid certificate, but it is not Fanfare that answers there (HTTP/1.1 404 Not Found)."
    )


FAILED = "links and unsubscribe pages would fail."


def test_nobody_listens(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = closed.getsockname()
    words = f"No server listens on {HOST} at port {address[1]}: {FAILED}"
    assert visit(authority, address) == ("failure", words)


def test_a_server_that_says_nothing(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_check, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        level, words = visit(authority, silent.getsockname())
        port = silent.getsockname()[1]
    assert (level, words) == ("failure", f"{HOST} at port {port} did not answer within 0 seconds: {FAILED}")


def test_a_server_without_tls(authority: Authority) -> None:
    with serving(None) as address:
        level, words = visit(authority, address)
    assert (level, words[:40]) == ("failure", f"What listens on {HOST} at port {address[1]}"[:40])
    assert "does not speak TLS" in words


def test_a_name_without_address() -> None:
    found = visit_https("https://nowhere.invalid")
    assert (found.level.value, found.words) == ("failure", f"nowhere.invalid leads to no address: {FAILED}")


def test_an_address_without_https_is_told_so_and_not_asked() -> None:
    found: Finding = visit_https("http://mail.acme.example:8000")
    words = (
        "Links begin with http://, so browsers warn of them. Give mail.acme.example a certificate and set its address"
        " to https://mail.acme.example."
    )
    assert (found.level.value, found.words) == ("warning", words)
