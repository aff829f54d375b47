"""A provider that nobody wrote code for: its HTTP call is described by a form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from delivery.outcomes import Outcome, Result

from .answers import clip, from_status, unanswered
from .basic_auth import basic
from .contract import (
    Account,
    ApiEnvelope,
    Capabilities,
    Content,
    EventKind,
    FormField,
    ProbeReport,
    Proof,
    ProviderEvent,
    ProviderKind,
    WebhookRequest,
    Webhooks,
)
from .generic_events import event_form, read_events
from .http import Answer, Call
from .one_by_one import OneByOne
from .paths import lines_of, scalar_at
from .signatures import authorization, secret_in_url
from .wire import wire_address

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_]+(?:\.[A-Za-z0-9_-]+)?)\s*\}\}")
FIELDS = (
    "from_email",
    "from_name",
    "reply_to",
    "recipient",
    "recipient_name",
    "subject",
    "html",
    "text",
    "message_token",
    "idempotency_key",
    "template_id",
)

CAPABILITIES = Capabilities(
    content=Content.FREE_HTML,
    per_recipient_headers=True,
    own_message_id=False,
    webhooks=Webhooks(
        Proof.SECRET_IN_URL,
        "Secret in the address, or as a bearer token or basic authentication",
        "Made here; it is part of the address to paste",
        tuple(kind for kind in EventKind if kind is not EventKind.UNKNOWN),
        setup="Let the provider post its events as JSON to the address with its secret, and say in “Event fields” and "
        "“Event kinds” above how they look.",
    ),
    notes=(
        "Carries what the form says: {{header.List-Unsubscribe}} must stand in the body for a campaign to be launched.",
        "Receipts are read where the form says how they look.",
    ),
)


class GenericHttp(OneByOne):
    """The form's request, filled in for one message."""

    capabilities = CAPABILITIES
    checks = (secret_in_url, authorization)

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._events = event_form(account.settings.get("event_fields", ""), account.settings.get("event_kinds", ""))
        self.capabilities = _declared(account.settings)
        self._codes = _codes(account.settings["success_codes"])
        if account.settings["body_format"] == "json":
            _template(account.settings["body"])

    def call(self, envelope: ApiEnvelope) -> Call:
        """See OneByOne; placeholders in the URL and its query are percent-encoded."""
        settings = self._account.settings
        values = _values(envelope)
        url = self._authorised_url(_fill(settings["url"], values, lambda value: quote(value, safe="")))
        headers = {"content-type": _CONTENT_TYPES[settings["body_format"]], **self._auth_headers()}
        for name, value in lines_of(settings.get("headers", "")):
            headers[name.lower()] = _fill(value, values, _header_safe)
        return Call(settings["method"], url, headers, self._body(values))

    def _body(self, values: Mapping[str, str]) -> bytes:
        """The body template filled in: JSON strings stay strings, form values stay values."""
        template = self._account.settings["body"]
        if self._account.settings["body_format"] == "json":
            return json.dumps(_fill_tree(_template(template), values), ensure_ascii=False).encode()
        pairs = [(name, _fill(value, values, str)) for name, value in lines_of(template)]
        return urlencode(pairs).encode()

    def _auth_headers(self) -> dict[str, str]:
        """The secret where the form wants it."""
        kind, secret = self._account.settings["auth"], self._account.credentials.get("secret", "")
        match kind:
            case "bearer":
                return {"authorization": f"Bearer {secret}"}
            case "basic":
                return basic(self._account.settings.get("auth_name", ""), secret)
            case "header":
                return {self._account.settings["auth_name"].lower(): secret}
            case _:
                return {}

    def _authorised_url(self, url: str) -> str:
        """The URL with the secret in its query, where the form wants it there."""
        if self._account.settings["auth"] != "query":
            return url
        parts = urlsplit(url)
        name, secret = self._account.settings["auth_name"], self._account.credentials.get("secret", "")
        return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), (name, secret)])))

    def read(self, answer: Answer) -> Outcome:
        """The success rule: a status code of the list and, where a path is given, the value that must stand there."""
        settings = self._account.settings
        if answer.status not in self._codes:
            return from_status(answer.status, answer.headers, answer.text)
        found = answer.json()
        if settings.get("success_path"):
            if found is None:
                return unanswered(f"the answer is not JSON: {answer.text}", answer.status)
            value = scalar_at(found, settings["success_path"])
            if value != settings.get("success_value", ""):
                return Outcome(Result.FAILED, code=answer.status, text=clip(answer.text), reason="content")
        return Outcome(Result.ACCEPTED, code=answer.status, provider_id=scalar_at(found, settings.get("id_path", "")))

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """See contract.Provider."""
        return read_events(self._events, request)

    def test_connection(self) -> ProbeReport:
        """No harmless call is known, so only the form is checked: send a test message."""
        sample = ApiEnvelope("", "a@example.com", "b@example.com", "", "", "", "", "")
        try:
            call = self.call(sample)
        except ValueError as error:
            return ProbeReport(False, str(error))
        return ProbeReport(True, f"The form makes a request to {urlsplit(call.url).netloc}; send a test message.")


_CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def _declared(settings: Mapping[str, str]) -> Capabilities:
    """What this form can carry: headers per recipient only where it names the placeholder."""
    carried = settings["body"] + settings.get("headers", "") + settings["url"]
    names = {name.lower() for name in PLACEHOLDER.findall(carried)}
    own_html = "html" in names
    return Capabilities(
        content=Content.FREE_HTML if own_html else Content.TEMPLATE_ONLY,
        per_recipient_headers="header.list-unsubscribe" in names,
        from_selectable="from_email" in names,
        own_message_id="message_token:" in settings.get("event_fields", ""),
        webhooks=CAPABILITIES.webhooks,
        notes=CAPABILITIES.notes,
    )


def _values(envelope: ApiEnvelope) -> dict[str, str]:
    """Every placeholder's value; headers and merge variables by their names after a dot, without case for headers."""
    values = {name: str(getattr(envelope, name)) for name in FIELDS}
    values["recipient"] = wire_address(envelope.recipient)
    values |= {f"header.{name.lower()}": value for name, value in envelope.headers.items()}
    return values | {f"merge.{name}": value for name, value in envelope.merge.items()}


def _fill(template: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    """The template with its placeholders replaced once; ValueError names one that does not exist."""

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        name = name.lower() if name.startswith("header.") else name
        if name not in values and "." not in name:
            raise ValueError(f"{{{{{name}}}}} is no placeholder; there are {', '.join(FIELDS)}, header.… and merge.….")
        return encode(values.get(name, ""))

    return PLACEHOLDER.sub(replacement, template)


def _fill_tree(node: object, values: Mapping[str, str]) -> object:
    """A JSON template with the placeholders in its strings replaced."""
    if isinstance(node, str):
        return _fill(node, values, str)
    if isinstance(node, list):
        return [_fill_tree(item, values) for item in node]
    if isinstance(node, dict):
        return {name: _fill_tree(item, values) for name, item in node.items()}
    return node


def _template(body: str) -> object:
    """The body template as JSON; ValueError says what is wrong with it."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise ValueError(f"The body is not JSON: {error}.") from error


def _header_safe(value: str) -> str:
    """A header value on one line, in ASCII."""
    return " ".join(value.split()).encode("ascii", "replace").decode()


def _codes(codes: str) -> frozenset[int]:
    """Status codes from "200, 202"; ValueError for what is none."""
    words = codes.replace(",", " ").split()
    strange = [word for word in words if not (word.isdigit() and len(word) == 3)]
    if strange or not words:
        raise ValueError(f"Success status codes are numbers such as 200, not {', '.join(strange) or 'nothing'}.")
    return frozenset(map(int, words))


SAMPLE_BODY = """{
  "from": {"email": "{{from_email}}", "name": "{{from_name}}"},
  "to": [{"email": "{{recipient}}", "name": "{{recipient_name}}"}],
  "subject": "{{subject}}",
  "html": "{{html}}",
  "text": "{{text}}",
  "headers": {
    "List-Unsubscribe": "{{header.List-Unsubscribe}}",
    "List-Unsubscribe-Post": "{{header.List-Unsubscribe-Post}}"
  }
}"""

KIND = ProviderKind(
    key="generic_http",
    label="Any HTTP API",
    capabilities=CAPABILITIES,
    fields=(
        FormField("url", "Address", help="https://api.example.com/send; placeholders are percent-encoded in it."),
        FormField("method", "Method", default="POST", choices=("POST", "PUT", "GET")),
        FormField("auth", "Authentication", default="bearer", choices=("bearer", "basic", "header", "query", "none")),
        FormField("auth_name", "User, header or query name", required=False),
        FormField("secret", "Secret", secret=True, required=False, help="Token, password or key."),
        FormField("headers", "Headers", required=False, multiline=True, help='Lines "name: value".'),
        FormField("body_format", "Body format", default="json", choices=("json", "form")),
        FormField(
            "body", "Body", multiline=True, default=SAMPLE_BODY, help='A JSON text, or lines "name: value" for a form.'
        ),
        FormField("success_codes", "Success status codes", default="200, 201, 202"),
        FormField("success_path", "Success path", required=False, help="Such as code, or data.0.status."),
        FormField("success_value", "Value there", required=False),
        FormField("id_path", "Path of the message id", required=False),
        FormField(
            "event_fields",
            "Event fields",
            required=False,
            multiline=True,
            help='How its webhook events look, in lines "name: path": kind, message_token (or provider_id and '
            "recipient), id, time, reply, url, user_agent, ip, and list for where the events stand in the call.",
        ),
        FormField(
            "event_kinds",
            "Event kinds",
            required=False,
            multiline=True,
            help='Lines "their word: ours", such as "hard_bounce: bounced hard" or "spam: complained".',
        ),
    ),
    factory=GenericHttp,
    docs_url="",
)
