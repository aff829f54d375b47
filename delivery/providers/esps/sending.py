"""One account at one ESP, through anymail: a backend per thread, batches within the ESP's limits, honest outcomes."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Any

from anymail.exceptions import AnymailAPIError
from django.utils.module_loading import import_string

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import bad_address, clip, halts, scrub, settled
from delivery.providers.batches import Cut, Reply, cut, deliver
from delivery.providers.contract import Account, ApiEnvelope, Capabilities, ProbeReport, ProviderEvent, WebhookRequest
from delivery.providers.http import UnansweredError, UnsentError
from delivery.providers.merging import shape
from delivery.providers.wire import wire_address

from . import messages
from .dialect import Bundling, Dialect, Draft, Merging, Success
from .failures import STRANGE, answer_of, call_key, outcome_of, refuses_whole, strange
from .parsing import events
from .session import CONNECT_SECONDS, READ_SECONDS, TRAIL, watch


class AnymailProvider:
    """A provider over an anymail backend; see contract.Provider."""

    def __init__(self, dialect: Dialect, account: Account) -> None:
        self.capabilities: Capabilities = dialect.capabilities
        self._dialect = dialect
        self._account = account
        self._local = threading.local()
        self._open: list[Any] = []
        self._lock = threading.Lock()
        read = float(account.settings.get("timeout") or READ_SECONDS)
        self._timeout = (min(CONNECT_SECONDS, read), read)

    # Sending

    def send(self, envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
        """See contract.Provider."""
        outcomes: dict[int, Outcome] = {}
        sendable = []
        halted: Outcome | None = None
        for position, envelope in enumerate(envelopes):
            refusal = bad_address(envelope.recipient)
            if refusal:
                outcomes[position] = refusal
            else:
                sendable.append(position)
        limits = Cut(self.capabilities.batch_max, self.capabilities.batch_bytes, self._alike)
        for call in cut([envelopes[i] for i in sendable], limits):
            positions = [sendable[i] for i in call]
            found = [halted for _ in positions] if halted else deliver(self._call, [envelopes[i] for i in positions])
            halted = halted or next(filter(halts, found), None)
            outcomes.update(zip(positions, found, strict=True))
        secrets = list(self._account.credentials.values())
        return [settled(outcomes[position], secrets) for position in range(len(envelopes))]

    def _alike(self, envelope: ApiEnvelope) -> Hashable:
        """What messages of one call share: the sender, and for merged texts the shape of the bodies."""
        sender = (envelope.from_name, envelope.from_email, envelope.reply_to)
        if isinstance(self._dialect, Merging):
            return (*sender, shape(envelope.html), shape(envelope.text), tuple(envelope.headers))
        return sender

    def _call(self, envelopes: Sequence[ApiEnvelope]) -> Reply:
        """One call; repeated at once with the same key while its fate is unknown and the ESP knows keys."""
        key = call_key(envelopes)
        reply = self._try(envelopes, key)
        for _ in range(self._repeats(len(envelopes))):
            if not all(outcome.result is Result.UNCERTAIN for outcome in reply.outcomes):
                break
            reply = self._try(envelopes, key)
        return reply

    def _repeats(self, size: int) -> int:
        """How often an unanswered call may be repeated: never without an idempotency key."""
        known = self.capabilities.idempotency
        return self._dialect.repeats_with_key if known and (size == 1 or known.batches) else 0

    def _try(self, envelopes: Sequence[ApiEnvelope], key: str) -> Reply:
        """Make the request, send it, read the answer; every failure becomes outcomes."""
        TRAIL.restart()
        try:
            request = self._request(envelopes, key)
        except STRANGE as error:
            return _all(strange(error), envelopes)
        if request is None:
            return Reply([o for e in envelopes for o in self._try([e], call_key([e])).outcomes])
        return self._post(request, envelopes)

    def _request(self, envelopes: Sequence[ApiEnvelope], key: str) -> _Request | None:
        """A request for these messages; None when they cannot share one."""
        dialect = self._dialect
        if len(envelopes) > 1 and isinstance(dialect, Bundling):
            return _bundle(self._backend(), dialect, [self._message(e) for e in envelopes], key)
        if isinstance(dialect, Merging) and (len(envelopes) > 1 or dialect.always_merges):
            message = messages.merged(envelopes, dialect.syntax)
            if len(envelopes) > 1 and not dialect.mergeable(message.merge_data):
                return None
            dialect.dress(Draft(message, envelopes, self._account))
        else:
            message = self._message(envelopes[0])
        return _request(self._backend(), dialect, message, key)

    def _message(self, envelope: ApiEnvelope) -> Any:
        """An anymail message for one recipient."""
        message = messages.lone(envelope, self._dialect.carries_metadata)
        self._dialect.dress(Draft(message, [envelope], self._account))
        return message

    def _post(self, request: _Request, envelopes: Sequence[ApiEnvelope]) -> Reply:
        """Send a request and read its answer; an unknown form of a refusal is judged by its status alone."""
        response = None
        try:
            response = request.backend.post_to_esp(request.payload, request.message)
            return Reply(self._read(request, response, envelopes))
        except AnymailAPIError as error:
            return _all(outcome_of(error, self._dialect), envelopes)
        except STRANGE as error:
            if getattr(response, "status_code", 200) >= 400:
                return _all(self._dialect.judge(answer_of(response)), envelopes)
            return _all(strange(error), envelopes)

    def _read(self, request: _Request, response: Any, envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
        """One outcome per envelope from a success answer."""
        dialect = self._dialect
        if isinstance(request.payload, _BundlePayload) and isinstance(dialect, Bundling):
            return dialect.read_bundle(response.json(), len(envelopes))
        statuses = request.backend.parse_recipient_status(response, request.payload, request.message)
        success = Success(statuses, response, [wire_address(e.recipient) for e in envelopes])
        if isinstance(dialect, Merging) and len(envelopes) > 1:
            return dialect.read_many(success)
        return [dialect.read_lone(success)]

    def _backend(self) -> Any:
        """The current thread's backend, opened: a requests session must not be shared by threads."""
        backend = getattr(self._local, "backend", None)
        if backend is None:
            options = self._dialect.backend_options(self._account)
            backend = import_string(self._dialect.backend)(**options)
            backend.timeout = self._timeout
            backend.open()
            if getattr(backend, "session", None) is not None:
                watch(backend.session, self._account.network)
            self._dialect.opened(backend)
            self._local.backend = backend
            with self._lock:
                self._open.append(backend)
        return backend

    # Receipts and the rest

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """See contract.Provider."""
        return self._dialect.verify(request, secrets)

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """See contract.Provider."""
        return events(self._dialect, request)

    def test_connection(self) -> ProbeReport:
        """See contract.Provider."""
        try:
            report = self._dialect.test(self._account)
        except (UnsentError, UnansweredError, ValueError) as error:
            report = ProbeReport(False, str(error))
        return ProbeReport(report.ok, clip(scrub(report.words, self._account.credentials.values())), report.status)

    def close(self) -> None:
        """See contract.Provider."""
        with self._lock:
            backends, self._open = self._open, []
        for backend in backends:
            backend.close()
        self._local = threading.local()


class _Request:
    """A payload with the backend that posts it and a message that anymail wants beside it."""

    def __init__(self, backend: Any, payload: Any, message: Any) -> None:
        self.backend, self.payload, self.message = backend, payload, message


class _BundlePayload:
    """Several payloads as one request, in the form that anymail's post_to_esp takes."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._params = params

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        """Keyword arguments of requests.request."""
        return {**self._params, "url": api_url.rstrip("/") + "/" + self._params["url"]}


def _request(backend: Any, dialect: Dialect, message: Any, key: str) -> _Request:
    """A request that anymail's own payload makes."""
    payload = backend.build_message_payload(message, backend.send_defaults)
    dialect.tune(payload, key)
    return _Request(backend, payload, message)


def _bundle(backend: Any, dialect: Bundling, found: Sequence[Any], key: str) -> _Request:
    """One request out of the payloads of many messages."""
    payloads = [backend.build_message_payload(message, backend.send_defaults) for message in found]
    dialect.tune(payloads[0], key)
    first = payloads[0].get_request_params(backend.api_url)
    params = {
        "method": "POST",
        "url": dialect.batch_endpoint,
        "data": payloads[0].serialize_json(dialect.bundle(payloads)),
        "headers": {**(first["headers"] or {}), **dialect.batch_headers},
        "auth": first["auth"],
    }
    return _Request(backend, _BundlePayload(params), found[0])


def _all(outcome: Outcome, envelopes: Sequence[ApiEnvelope]) -> Reply:
    """The same outcome for every message of a call."""
    return Reply([outcome for _ in envelopes], refused_whole=refuses_whole(outcome))
