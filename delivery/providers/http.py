"""The one HTTP client of our own provider modules: timeouts, a cap on answers, no redirects, no private hosts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from .answers import clip
from .network import ForbiddenAddressError, Network, check_address, check_host

TIMEOUT = httpx2.Timeout(30.0, connect=10.0, pool=10.0)
ANSWER_CAP = 2_000_000
TOTAL_SECONDS = 60.0

# Raised before a byte of the request was written; anything else may have reached the server.
BEFORE_WRITING = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class UnsentError(Exception):
    """The request did not leave: no connection, or a host that may not be called."""


class ForbiddenHostError(UnsentError):
    """The host lies in a network that may not be called: no repeat will help."""


class _ForbiddenConnectError(httpx2.ConnectError):
    """How a refused host passes through httpx2."""


class UnansweredError(Exception):
    """The request left, wholly or in part, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text, what cannot be decoded replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """The body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request; `body` is sent as it is, `content_type` says what it is."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if httpx2.URL(self.url).scheme not in ("http", "https"):
            raise ValueError(f"Only http and https addresses are called, not {self.url!r}.")


class Http:
    """A pool of connections shared by threads; environment proxies and .netrc are not used."""

    def __init__(self, network: Network = Network.PUBLIC, timeout: httpx2.Timeout = TIMEOUT) -> None:
        self._network = network
        self._timeout = timeout
        self._made: httpx2.Client | None = None
        self._lock = threading.Lock()

    def call(self, call: Call) -> Answer:
        """The whole answer; raises UnsentError or UnansweredError, nothing else."""
        try:
            request = self._client.build_request(call.method, call.url, headers=call.headers, content=call.body or None)
            request.extensions["trace"] = self._trace
            return self._read(self._client.send(request, stream=True))
        except _ForbiddenConnectError as error:
            raise ForbiddenHostError(str(error)) from error
        except BEFORE_WRITING as error:
            raise UnsentError(_words(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise UnansweredError(_words(error)) from error

    def close(self) -> None:
        """Drop the pool; the next call makes a new one."""
        with self._lock:
            client, self._made = self._made, None
        if client is not None:
            client.close()

    @property
    def _client(self) -> httpx2.Client:
        """The pool, made at the first call: its TLS context takes 20 ms and more, and receipts need none."""
        with self._lock:
            if self._made is None:
                self._made = httpx2.Client(timeout=self._timeout, follow_redirects=False, trust_env=False)
            return self._made

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Refuse forbidden hosts before connecting, and again by the peer's real address (DNS rebinding)."""
        try:
            if event == "connection.connect_tcp.started":
                check_host(str(info["host"]), self._network)
            elif event == "connection.connect_tcp.complete":
                self._check_peer(info["return_value"])
        except ForbiddenAddressError as error:
            raise _ForbiddenConnectError(str(error)) from error

    def _check_peer(self, stream: Any) -> None:
        """Close the connection when its far end is not allowed."""
        try:
            check_address(str(stream.get_extra_info("server_addr")[0]), self._network)
        except ForbiddenAddressError:
            stream.close()
            raise

    def _read(self, response: httpx2.Response) -> Answer:
        """The body up to the cap and within the time that a whole answer may take."""
        deadline = time.monotonic() + TOTAL_SECONDS
        chunks, size = [], 0
        try:
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > ANSWER_CAP or time.monotonic() > deadline:
                    raise UnansweredError(f"the answer is too large or too slow ({size} bytes read)")
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, b"".join(chunks))


def _words(error: Exception) -> str:
    """What went wrong, never empty: some errors carry no text."""
    return clip(f"{type(error).__name__}: {error}".rstrip(": "))
