"""What fakes of different providers share: what they were sent, whom they refuse, how a fault reads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any, ClassVar

from .server import Fault, HttpRequest, Reply, Server

# Addresses at this domain are refused in the words of each provider.
REFUSED_DOMAIN = "refused.example"
RETRY_AFTER = 7


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a fake took, its bodies merged as the provider would merge them."""

    recipient: str
    sender: str
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    mid: str = ""
    key: str = ""
    template_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


Keep = Callable[[Sent], str]


class FakeDialect:
    """One provider's send protocol; `take` is called in the server's thread only."""

    kind: ClassVar[str]
    settings: ClassVar[Mapping[str, str]] = {}
    credentials: ClassVar[Mapping[str, str]]

    def address(self, url: str) -> dict[str, str]:
        """The settings that lead a provider to this fake."""
        return {"api_url": url}

    def authorised(self, request: HttpRequest) -> bool:
        """Whether the credentials are those of the account."""
        raise NotImplementedError

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        """Take a request; `keep` stores a message and gives it an id."""
        raise NotImplementedError

    def unauthorised(self) -> Reply:
        """The answer to wrong credentials."""
        return Reply(401, {"message": "Unauthorized: bad key"})

    def rate_limited(self) -> Reply:
        """The answer to too many requests."""
        return Reply(429, {"message": "Too many requests"}, {"Retry-After": str(RETRY_AFTER)})

    def server_error(self) -> Reply:
        """The answer of a broken server."""
        return Reply(500, {"message": "internal error"})


class FakeProvider:
    """A fake provider on a port of its own. `faults` script the next requests, `sent` keeps what was taken."""

    def __init__(self, dialect: FakeDialect, latency: float = 0.0) -> None:
        self.dialect = dialect
        self.sent: list[Sent] = []
        self.requests: list[HttpRequest] = []
        self.remembers = True  # its requests
        self._known: dict[tuple[str, str], str] = {}  # id by idempotency key and recipient
        self._n_kept = 0
        self._lock = threading.Lock()
        self._server = Server(self._handle, latency)

    def __enter__(self) -> FakeProvider:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; what was taken stays."""
        self._server.stop()

    @property
    def url(self) -> str:
        """The address of the fake."""
        return self._server.url

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._server.connections

    @property
    def settings(self) -> dict[str, str]:
        """The open answers of the "add a provider" form for the account of this fake."""
        return {**self.dialect.settings, **self.dialect.address(self.url)}

    @property
    def credentials(self) -> dict[str, str]:
        """The secret answers."""
        return dict(self.dialect.credentials)

    def script(self, *faults: Fault | Reply) -> None:
        """What goes wrong with the next requests, in order, or the very answers that they get."""
        self._server.faults.extend(faults)

    def _handle(self, request: HttpRequest, fault: Fault | Reply | None) -> Reply | None:
        """Answer as the provider does, or as the fault says."""
        if self.remembers:
            self.requests.append(request)
        if isinstance(fault, Reply):
            return fault
        refusals: dict[Fault, Callable[[], Reply]] = {
            Fault.RATE_LIMITED: self.dialect.rate_limited,
            Fault.UNAUTHORISED: self.dialect.unauthorised,
            Fault.SERVER_ERROR: self.dialect.server_error,
            Fault.UNAVAILABLE: lambda: Reply(503, {"message": "unavailable"}),
        }
        if fault is not None and fault in refusals:
            return refusals[fault]()
        if not self.dialect.authorised(request):
            return self.dialect.unauthorised()
        reply = self.dialect.take(request, self._keep)
        if fault is Fault.MALFORMED:
            return Reply(200, b'{"id": "12')
        return None if fault else reply

    def _keep(self, sent: Sent) -> str:
        """Store a message once per idempotency key and recipient; the id it got."""
        with self._lock:
            known = self._known.get((sent.key, sent.recipient)) if sent.key else None
            if known is not None:
                return known
            self.sent.append(sent)
            self._n_kept += 1
            self._known[sent.key, sent.recipient] = identity = f"id-{self._n_kept}"
            return identity


def is_refused(address: str) -> bool:
    """Whether the fakes refuse this address."""
    return address.endswith("@" + REFUSED_DOMAIN)


def split_address(value: str) -> tuple[str, str]:
    """Name and address of a header value."""
    return parseaddr(value)


def mid_in(text: str | None) -> str:
    """Our id in metadata that travels as JSON text."""
    return str(json.loads(text).get("mid", "")) if text else ""


def lowered(headers: Mapping[str, Any] | None) -> dict[str, str]:
    """Header names in lower case."""
    return {name.lower(): str(value) for name, value in (headers or {}).items()}
