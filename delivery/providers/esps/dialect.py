"""What one ESP behind anymail has of its own: the base that every ESP module refines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import from_status
from delivery.providers.contract import (
    Account,
    ApiEnvelope,
    Capabilities,
    FormField,
    ProbeReport,
    UnreadableReceiptError,
    WebhookRequest,
)
from delivery.providers.http import Answer, Call, Http
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading
from delivery.providers.signatures import Check, by_any

from .session import without_answer

TRACKING_FIELD = FormField(
    "esp_tracking",
    "Open and click tracking by the provider",
    default="off",
    choices=("off", "on"),
    help="Off: Fanfare's own links and pixel go out as they are. On: the provider rewrites them once more.",
)

STATUSES: dict[str, tuple[Result, str]] = {
    # anymail's normalised send status -> ours, https://anymail.dev/en/stable/sending/anymail_additions/#esp-send-status
    "queued": (Result.ACCEPTED, ""),
    "sent": (Result.ACCEPTED, ""),
    "rejected": (Result.REFUSED, "suppressed"),
    "invalid": (Result.REFUSED, "address"),
    "failed": (Result.FAILED, "content"),
    "unknown": (Result.UNCERTAIN, ""),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An anymail message on its way to a request, with the envelopes that it was made from."""

    message: Any
    envelopes: Sequence[ApiEnvelope]
    account: Account


@dataclass(frozen=True, slots=True)
class Success:
    """A success answer: anymail's status by address, the raw response, and the addresses of the call in order."""

    statuses: Mapping[str, Any]
    response: Any
    addresses: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """One raw event and the webhook call that it came in."""

    raw: dict[str, Any]
    request: WebhookRequest


class Dialect:
    """The base of the ESP modules; stateless, shared by all accounts of the ESP."""

    key: ClassVar[str]
    label: ClassVar[str]
    docs_url: ClassVar[str]
    spf_include: ClassVar[str] = ""
    backend: ClassVar[str]
    view: ClassVar[str] = ""
    api_url: ClassVar[str] = ""
    capabilities: ClassVar[Capabilities]
    fields: ClassVar[tuple[FormField, ...]]
    checks: ClassVar[tuple[Check, ...]] = ()
    carries_metadata: ClassVar[bool] = True
    switches_tracking: ClassVar[bool] = False
    repeats_with_key: ClassVar[int] = 2

    # Sending

    def backend_options(self, account: Account) -> dict[str, Any]:
        """Keyword arguments of anymail's backend for this account."""
        raise NotImplementedError

    def opened(self, backend: Any) -> None:
        """Called once for each backend that was opened."""

    def dress(self, draft: Draft) -> None:
        """Set on the message what this ESP needs beyond the common parts."""
        if self.switches_tracking and draft.account.settings.get("esp_tracking") != "on":
            draft.message.track_opens = False
            draft.message.track_clicks = False

    def tune(self, payload: Any, key: str) -> None:
        """Change the payload of a message; `key` is the idempotency key of the call."""

    def read_lone(self, success: Success) -> Outcome:
        """The outcome of a message to one recipient that the ESP answered with success."""
        status = next(iter(success.statuses.values()), None)
        return outcome_of_status(status) if status else Outcome(Result.UNCERTAIN, text="no recipient in the answer")

    def judge(self, answer: Answer) -> Outcome:
        """The outcome of an answer that is not a success."""
        return from_status(answer.status, answer.headers, answer.text)

    def judge_error(self, error: Any) -> Outcome | None:
        """The outcome of an error that is not about an HTTP answer; None where there is one to judge."""
        return without_answer(error) if error.response is None else None

    # Testing the connection

    def test(self, account: Account) -> ProbeReport:
        """Ask the ESP something harmless; raises UnsentError, UnansweredError or ValueError."""
        api_url = str(self.backend_options(account).get("api_url") or self.api_url).rstrip("/") + "/"
        http = Http(account.network)
        try:
            return self.probe_report(http.call(self.probe(api_url, account)))
        finally:
            http.close()

    def probe(self, api_url: str, account: Account) -> Call:
        """A request that shows whether the credentials work and sends no mail."""
        raise NotImplementedError

    def probe_report(self, answer: Answer) -> ProbeReport:
        """What the answer to the probe says."""
        return ProbeReport(200 <= answer.status < 300, answer.text, answer.status)

    # Receipts

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets proves the call; an ESP without webhooks proves nothing."""
        return any(by_any(check, request, secrets) for check in self.checks)

    def follow_up(self, _request: WebhookRequest, /) -> str:
        """The address that a verified call wants us to GET before more come, or ""."""
        return ""

    def secret_problem(self, _secret: str, /) -> str:
        """What is wrong with a webhook secret that somebody pasted, in words, or ""."""
        return ""

    def greets(self, _request: WebhookRequest, /) -> bool:
        """Whether the call reports nothing and only asks whether somebody is there."""
        return False

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """The single raw events in a webhook body; raises UnreadableReceiptError."""
        return [json_object(request.body)]

    def translate(self, view: Any, part: Part) -> list[Any]:
        """anymail's events for one raw event."""
        return [view.esp_to_anymail_event(part.raw)]

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """Put right what anymail's reading loses: hard or soft, machine opens, the address, the time."""
        raise NotImplementedError


class Merging(Dialect):
    """An ESP that takes one text with fields and values per recipient, in one anymail message."""

    syntax: ClassVar[Syntax]
    always_merges: ClassVar[bool] = False
    values_most_bytes: ClassVar[int] = 0
    values_must_be_plain: ClassVar[bool] = False

    def mergeable(self, merge_data: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether the ESP can carry these values; where not, the messages go out one by one."""
        for values in merge_data.values():
            if self.values_most_bytes and len(json.dumps(values)) > self.values_most_bytes:
                return False
            if self.values_must_be_plain and any(set(value) & set("<>&\"'{}") for value in values.values()):
                return False
        return True

    def read_many(self, success: Success) -> list[Outcome]:
        """One outcome per address, from a success answer."""
        by_address = {address.lower(): status for address, status in success.statuses.items()}
        missing = Outcome(Result.UNCERTAIN, text="this recipient is not in the answer")
        found = (by_address.get(address.lower()) for address in success.addresses)
        return [outcome_of_status(status) if status else missing for status in found]


class Bundling(Dialect):
    """An ESP whose batch call takes whole messages; anymail makes each, we put them into one body."""

    batch_endpoint: ClassVar[str]
    batch_headers: ClassVar[Mapping[str, str]] = {}

    def bundle(self, payloads: Sequence[Any]) -> object:
        """The JSON body of the batch call, from the tuned payloads of its messages."""
        raise NotImplementedError

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """One outcome per message, in order; raises KeyError, TypeError or IndexError for an unknown form."""
        raise NotImplementedError


def outcome_of_status(status: Any) -> Outcome:
    """anymail's recipient status as an outcome."""
    result, reason = STATUSES.get(status.status, (Result.UNCERTAIN, ""))
    text = "" if result is Result.ACCEPTED else f"the provider answered: {status.status}"
    return Outcome(result, code=200, text=text, provider_id=str(status.message_id or ""), reason=reason)


def one_each(answers: Any, size: int) -> list[Mapping[str, Any]]:
    """The answers of a batch when there is one for each message; TypeError otherwise."""
    if not isinstance(answers, list) or len(answers) != size:
        raise TypeError("not one answer per message")
    return answers


def json_object(body: bytes) -> dict[str, Any]:
    """A webhook body that is one JSON object; raises UnreadableReceiptError."""
    value = json_value(body)
    if not isinstance(value, dict):
        raise UnreadableReceiptError("not a JSON object")
    return value


def json_list(value: object) -> list[dict[str, Any]]:
    """A list of JSON objects; what is none of them is left out. Raises UnreadableReceiptError when it is no list."""
    if not isinstance(value, list):
        raise UnreadableReceiptError("not a list of events")
    return [item for item in value if isinstance(item, dict)]


def json_value(body: bytes) -> Any:
    """A JSON body; raises UnreadableReceiptError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceiptError("not JSON") from error
