"""Postal, a mail server of one's own: https://docs.postalserver.io/developer/api, /webhooks (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, from_status
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    ProbeReport,
    Proof,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, epoch, member, text
from delivery.providers.signatures import postal, public_key

from .dialect import Dialect, Draft, Part

# Errors come as HTTP 200, https://apiv1.postalserver.io/controllers/send/message
CODES: dict[str, tuple[Result, str]] = {
    "InvalidServerAPIKey": (Result.FAILED, "credentials"),
    "ServerSuspended": (Result.FAILED, "credentials"),
    "AccessDenied": (Result.FAILED, "credentials"),
    "UnauthenticatedFromAddress": (Result.FAILED, "settings"),
    "FromAddressMissing": (Result.FAILED, "settings"),
}
KINDS: dict[str, tuple[EventKind, str]] = {
    "MessageSent": (EventKind.DELIVERED, ""),
    "MessageDelayed": (EventKind.DEFERRED, "soft"),
    "MessageDeliveryFailed": (EventKind.BOUNCED, "hard"),
    "MessageBounced": (EventKind.BOUNCED, ""),
    "MessageLinkClicked": (EventKind.CLICKED, ""),
    "MessageLoaded": (EventKind.OPENED, ""),
    "MessageHeld": (EventKind.UNKNOWN, ""),
}


class Postal(Dialect):
    """One by one; our id travels as the tag, since Postal has no metadata."""

    key = "postal"
    label = "Postal"
    docs_url = "https://docs.postalserver.io/"
    backend = "anymail.backends.postal.EmailBackend"
    view = "anymail.webhooks.postal.PostalTrackingWebhookView"
    carries_metadata = False
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "RSA over the body in X-Postal-Signature-256 or X-Postal-Signature",
            "The server's public key: p= of its default DKIM record",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.OPENED,
                EventKind.CLICKED,
            ),
            setup=(
                "Server > Webhooks > Add webhook: this address, all events but DNS errors. The key to store is the "
                "public key (p=) of the server's default DKIM record."
            ),
        ),
        notes=("Errors come as HTTP 200 with a status.", "Our message id is the tag."),
    )
    fields = (
        FormField("api_url", "Address of the Postal server", help="https://postal.example.com"),
        FormField("api_key", "API credential", secret=True),
    )

    checks = (postal,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {"api_key": account.credentials["api_key"], "api_url": account.settings["api_url"]}

    def dress(self, draft: Draft) -> None:
        """The tag comes back in every event."""
        super().dress(draft)
        draft.message.tags = [draft.envelopes[0].message_token]

    def judge(self, answer: Answer) -> Outcome:
        """A 200 with status "error" or "parameter-error" took nothing."""
        found = answer.json()
        word, code = text(member(found, "status")), text(member(found, "data", "code"))
        if word not in ("error", "parameter-error"):
            return from_status(answer.status, answer.headers, answer.text)
        words = f"{code or word} {text(member(found, 'data', 'message'))}"
        result, reason = CODES.get(code) or about_request(words)
        return Outcome(result, code=answer.status, text=clip(words), reason=reason)

    def probe(self, api_url: str, account: Account) -> Call:
        """An empty message: a working key hears what is missing in it."""
        headers = {"x-server-api-key": account.credentials["api_key"], "content-type": "application/json"}
        return Call("POST", api_url + "api/v1/send/message", headers, b"{}")

    def probe_report(self, answer: Answer) -> ProbeReport:
        """NoRecipients (or a complaint about another missing part) means that the key was accepted."""
        found = answer.json()
        code = text(member(found, "data", "code"))
        known = answer.status == 200 and text(member(found, "status")) in ("error", "parameter-error")
        works = known and code not in CODES
        return ProbeReport(works, "The key is accepted." if works else answer.text, answer.status)

    def secret_problem(self, secret: str, /) -> str:
        """See Dialect."""
        is_key = isinstance(public_key(secret), rsa.RSAPublicKey)
        return "" if is_key else "This is no public key of Postal: paste it whole, as it is shown there."

    def translate(self, view: Any, part: Part) -> list[Any]:
        """anymail parses whole requests for Postal; events about incoming mail are none of ours."""
        return list(view.parse_events(_Body(part.request.body)))

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """The event's name; the tag is our id."""
        payload = raw.get("payload")
        kind, bounce_class = KINDS.get(text(raw.get("event")), (reading.kind, ""))
        if reading.kind is EventKind.FAILED and not raw.get("event"):
            kind, bounce_class = EventKind.BOUNCED, "hard"
        reading.kind, reading.bounce_class = kind, bounce_class
        about = member(payload, "message") or member(payload, "original_message")
        reading.mid = text(member(about, "tag"))
        reading.occurred_at = epoch(raw.get("timestamp"))
        reading.ip = text(member(payload, "ip_address"))
        return reading


class _Body:
    """As much of a request as anymail's parser looks at."""

    def __init__(self, body: bytes) -> None:
        self.body = body
