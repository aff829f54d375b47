"""Which hosts are called, and the one HTTP client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from delivery.outcomes import Outcome, Result
from delivery.providers import PROVIDERS, Network
from delivery.providers.fakes import FakeProvider, fake
from delivery.providers.fakes.server import Fault, HttpRequest, Reply, Server
from delivery.providers.http import ANSWER_CAP, Call, Http, UnansweredError, UnsentError
from delivery.providers.network import ForbiddenAddressError, check_host, is_public
from tests.delivery.providers.conformance import envelope


@contextmanager
def answering(reply: Reply) -> Iterator[tuple[Server, list[HttpRequest]]]:
    """A server that answers everything alike."""
    seen: list[HttpRequest] = []

    def handle(request: HttpRequest, fault: Fault | Reply | None) -> Reply | None:
        seen.append(request)
        return None if fault else reply

    server = Server(handle)
    server.start()
    try:
        yield server, seen
    finally:
        server.stop()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "not an address",
    ],
)
def test_an_address_of_a_neighbour_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_a_private_host_is_refused_by_name() -> None:
    with pytest.raises(ForbiddenAddressError):
        check_host("localhost", Network.PUBLIC)
    check_host("localhost", Network.ANY)


def test_no_request_reaches_a_private_host() -> None:
    with answering(Reply(200)) as (server, seen):
        http = Http()
        with pytest.raises(UnsentError, match=r"127\.0\.0\.1"):
            http.call(Call("GET", server.url))
        http.close()
    assert seen == []


@pytest.mark.parametrize("kind", ["resend", "mailgun", "generic_http"])
def test_no_mail_reaches_a_private_host_by_a_form(kind: str) -> None:
    with fake(kind) as server:
        outcome = _send_publicly(kind, server)
    assert server.requests == []
    assert outcome == Outcome(Result.FAILED, text="127.0.0.1 is not an address of the open Internet", reason="settings")


def _send_publicly(kind: str, server: FakeProvider) -> Outcome:
    provider = PROVIDERS[kind].build(server.settings, server.credentials)
    try:
        return provider.send([envelope("alice")])[0]
    finally:
        provider.close()


def test_a_redirect_is_not_followed() -> None:
    with answering(Reply(302, b"", {"location": "http://127.0.0.1:9/"})) as (server, seen):
        http = Http(Network.ANY)
        assert http.call(Call("POST", server.url, body=b"x")).status == 302
        http.close()
    assert len(seen) == 1


def test_an_endless_answer_is_cut() -> None:
    with answering(Reply(200, b"x" * (ANSWER_CAP + 1))) as (server, _):
        http = Http(Network.ANY)
        with pytest.raises(UnansweredError, match="too large"):
            http.call(Call("GET", server.url))
        http.close()


def test_a_server_that_hangs_up_leaves_the_request_unanswered() -> None:
    with answering(Reply(200)) as (server, _):
        server.faults.append(Fault.BREAKS_OFF)
        http = Http(Network.ANY, httpx2.Timeout(5))
        with pytest.raises(UnansweredError):
            http.call(Call("POST", server.url, body=b"x"))
        http.close()


def test_nobody_listening_leaves_the_request_unsent() -> None:
    with answering(Reply(200)) as (server, _):
        url = server.url
    http = Http(Network.ANY)
    with pytest.raises(UnsentError):
        http.call(Call("POST", url, body=b"x"))
    http.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x.example/", "//x.example"])
def test_other_schemes_are_not_called(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Call("GET", url)
