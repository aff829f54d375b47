"""A requests session that knows whether the first byte of a request has left, and that calls allowed hosts only."""

from __future__ import annotations

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import clip, unanswered, unsent
from delivery.providers.network import ForbiddenAddressError, Network, check_address, check_host

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0


class Trail(threading.local):
    """What the current thread's last request got to: kept per thread, as one backend is."""

    wrote = False
    forbidden = ""

    def restart(self) -> None:
        """Forget the last request."""
        self.wrote, self.forbidden = False, ""


TRAIL = Trail()


class _Watched:
    """Mixed into urllib3's connections: refuses forbidden peers and notes the first byte written."""

    network = Network.PUBLIC
    sock: Any
    host: str

    def _new_conn(self) -> Any:
        try:
            check_host(self.host, self.network)
            sock = super()._new_conn()  # type: ignore[misc]
            check_address(str(sock.getpeername()[0]), self.network)
        except ForbiddenAddressError as error:
            TRAIL.forbidden = str(error)
            raise
        return sock

    def send(self, data: Any) -> None:
        # http.client connects inside send() when no socket stands yet: connect first, so that the note is true.
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        TRAIL.wrote = True
        super().send(data)  # type: ignore[misc]


class _OpenHttp(_Watched, HTTPConnection):
    network = Network.ANY


class _OpenHttps(_Watched, HTTPSConnection):
    network = Network.ANY


class _PublicHttp(_Watched, HTTPConnection):
    pass


class _PublicHttps(_Watched, HTTPSConnection):
    pass


def _pools(network: Network) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3 pools that open watched connections."""
    plain, secure = (_OpenHttp, _OpenHttps) if network is Network.ANY else (_PublicHttp, _PublicHttps)
    return {
        "http": type("WatchedHttpPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("WatchedHttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class WatchedAdapter(HTTPAdapter):
    """Sends over watched connections and never retries: a repeated POST may be a second message."""

    def __init__(self, network: Network) -> None:
        self._network = network
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As the base class, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._network)


def watch(session: requests.Session, network: Network) -> None:
    """Put watched adapters into a session; it follows no redirect by itself and reads no environment."""
    adapter = WatchedAdapter(network)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.trust_env = False
    session.max_redirects = 0


def without_answer(error: Exception) -> Outcome:
    """The outcome of a request that no answer came to: DEFERRED while no byte had left, else UNCERTAIN."""
    words = str(error.__cause__ or error)
    if TRAIL.forbidden:
        return Outcome(Result.FAILED, text=clip(TRAIL.forbidden), reason="settings")
    return unanswered(words) if TRAIL.wrote else unsent(words)
