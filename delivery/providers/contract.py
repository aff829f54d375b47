"""What every provider is to the engine: a few declared facts, three verbs, and the values that pass between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from delivery.outcomes import Outcome

from .network import Network


class Content(StrEnum):
    """What a provider lets us say: our own HTML, or only its approved template with variables filled in."""

    FREE_HTML = "free_html"
    TEMPLATE_ONLY = "template_only"


class EventKind(StrEnum):
    """What became known about a message after it left; the words of delivery's event table."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    REJECTED = "rejected"
    FAILED = "failed"
    AUTO_REPLIED = "auto_replied"
    UNKNOWN = "unknown"


class Proof(StrEnum):
    """How a webhook call shows that it comes from the provider."""

    SIGNATURE = "signature"
    BASIC_AUTH = "basic_auth"
    TOKEN_HEADER = "token_header"  # noqa: S105 - the name of a scheme
    SECRET_IN_URL = "secret_in_url"  # noqa: S105 - the name of a scheme


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key that makes a repeated call harmless for `lifetime` seconds; `batches`: in a call with many messages too."""

    lifetime: int
    batches: bool


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Which events a provider reports, how its calls are proved, and what to paste as the secret.

    `setup`: what to do at the provider, in words. `secret_field`: the credential of the account that proves the calls,
    where no secret of their own does. `refused_status`: the answer to a call without proof; most providers repeat
    after 401, so that nothing is lost while an operator repairs a secret.
    """

    proof: Proof
    scheme: str
    secret_help: str
    events: tuple[EventKind, ...]
    setup: str = ""
    secret_field: str = ""
    refused_status: int = 401


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `n` units in `seconds`, per account unless `per` says otherwise; documented by the provider."""

    n: int
    seconds: int
    unit: str = "messages"
    per: str = "account"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, as its public documentation says; the launch check and docs/providers.md read this.

    `batch_max`: messages in one call (1: one by one). `batch_bytes`: largest request body we build.
    `per_recipient_results`: a batch call says which recipient failed. `own_message_id`: receipts carry our id back.
    `from_selectable`: any verified From may be used (False: it is bound to the account).
    """

    content: Content
    per_recipient_headers: bool
    batch_max: int = 1
    batch_bytes: int = 5_000_000
    idempotency: Idempotency | None = None
    per_recipient_results: bool = True
    webhooks: Webhooks | None = None
    quotas: tuple[Quota, ...] = ()
    from_selectable: bool = True
    own_message_id: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiEnvelope:
    """One message for one recipient as a provider API takes it.

    `message_token` is our own id (`mid`): it goes out as metadata and comes back in receipts.
    `merge` and `template_id` are for template providers; `template_id` overrides the account's default.
    `idempotency_key` names this message across attempts. No attachment: campaigns carry links.
    """

    key: str
    from_email: str
    recipient: str
    subject: str
    html: str
    text: str
    message_token: str
    idempotency_key: str
    from_name: str = ""
    reply_to: str = ""
    recipient_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    merge: Mapping[str, str] = field(default_factory=dict)
    template_id: str = ""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook call as it came; `url` is the one that the provider was told, query included."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    def header(self, name: str) -> str:
        """The value of a header, or ""; names are compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    @property
    def query(self) -> dict[str, str]:
        """The query of the URL; of a repeated name the last value."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One thing that a provider told us about a message.

    `event_id` is stable under replays: the provider's own, or a SHA-256 of what makes the event itself.
    `bounce_class`: "hard", "soft", "block" or "". `machine`: the provider itself says that no person did this.
    `provider_id` is what send() gave as Outcome.provider_id, for providers that do not carry `mid` back.
    """

    kind: EventKind
    event_id: str
    raw: Mapping[str, object]
    mid: str = ""
    provider_id: str = ""
    recipient: str = ""
    occurred_at: datetime | None = None
    bounce_class: str = ""
    reply: str = ""
    url: str = ""
    user_agent: str = ""
    ip: str = ""
    machine: bool = False


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a connection test found; `words` are the server's own where it said anything."""

    ok: bool
    words: str
    status: int = 0


class UnreadableReceiptError(ValueError):
    """A webhook body that is not what the provider documents; the message says what is wrong with it."""


class ProofUnavailableError(Exception):
    """Whether a call is genuine cannot be told just now: the provider should send it again."""


class Provider(Protocol):
    """One account at one provider. Threads share it; it keeps a connection per thread until `close`."""

    capabilities: Capabilities

    def send(self, envelopes: Sequence[ApiEnvelope]) -> list[Outcome]:
        """Hand the envelopes over; one outcome each, in their order. Never raises for what a server or network does."""
        ...

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """Whether the call is proved by one of the secrets (the old and the new one while they rotate).

        Raises ProofUnavailableError when what the proof needs cannot be had (Amazon's certificate).
        """
        ...

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """The events in a stored call; an event that cannot be read becomes an UNKNOWN one that keeps its raw part.

        Raises UnreadableReceiptError when the body as a whole is not what this provider sends.
        """
        ...

    def test_connection(self) -> ProbeReport:
        """Ask the provider something harmless with our credentials; no mail is sent."""
        ...

    def close(self) -> None:
        """Drop the kept connections."""
        ...


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of the "add a provider" form; secret answers are stored encrypted and never shown again."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    help: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    multiline: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The answers of the "add a provider" form, and which hosts may be called."""

    settings: Mapping[str, str]
    credentials: Mapping[str, str]
    network: Network


Factory = Callable[[Account], Provider]


def _no_follow_up(_: WebhookRequest) -> str:
    return ""


def _any_secret(_: str) -> str:
    return ""


def _no_greeting(_: WebhookRequest) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A way of sending that the admin can pick: what it can do, what it asks for, how it is built.

    `follow_up` gives the address that a verified webhook call wants us to GET before more come (Amazon SNS), or "".
    `greets`: the call reports nothing and only asks whether somebody is there (Mandrill, before it tells its key).
    `secret_problem`: what is wrong with a webhook secret that somebody pasted, in words, or "".
    """

    key: str
    label: str
    capabilities: Capabilities
    fields: tuple[FormField, ...]
    factory: Factory
    docs_url: str
    spf_include: str = ""
    dns_notes: str = ""
    follow_up: Callable[[WebhookRequest], str] = _no_follow_up
    greets: Callable[[WebhookRequest], bool] = _no_greeting
    secret_problem: Callable[[str], str] = _any_secret

    def build(
        self, settings: Mapping[str, str], credentials: Mapping[str, str], network: Network = Network.PUBLIC
    ) -> Provider:
        """A provider for these answers and the defaults; ValueError says what is missing or makes no sense."""
        answers = self._with_defaults({**settings, **credentials})
        secret = {field.name for field in self.fields if field.secret}
        account = Account(
            settings={name: value for name, value in answers.items() if name not in secret},
            credentials={name: value for name, value in answers.items() if name in secret},
            network=network,
        )
        return self.factory(account)

    def _with_defaults(self, answers: Mapping[str, str]) -> dict[str, str]:
        """The answers, blanks filled from the defaults; undeclared names pass through (tests set addresses so)."""
        full = {**{field.name: field.default for field in self.fields}, **{k: v for k, v in answers.items() if v}}
        missing = [field.label for field in self.fields if field.required and not full[field.name]]
        if missing:
            raise ValueError(f"{self.label} needs: {', '.join(missing)}.")
        return full

    def webhook_address(self, url: str, secret: str) -> str:
        """The address to paste at the provider: basic credentials or a secret are put where its proof expects them.

        `secret` is "user:password" for basic authentication, one token for a secret in the URL.
        """
        if self.capabilities.webhooks is None:
            return ""
        parts = urlsplit(url)
        match self.capabilities.webhooks.proof:
            case Proof.BASIC_AUTH:
                user, _, password = secret.partition(":")
                netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}"
                return urlunsplit(parts._replace(netloc=netloc))
            case Proof.SECRET_IN_URL:
                return urlunsplit(parts._replace(query=urlencode({"secret": secret})))
            case _:
                return url
