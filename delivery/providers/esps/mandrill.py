"""Mandrill (Mailchimp Transactional): https://mailchimp.com/developer/transactional/api/messages/ (read 2026-10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, from_status
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    Proof,
    UnreadableReceiptError,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import form, mandrill

from .dialect import TRACKING_FIELD, Dialect, Success, json_list, json_value

# Every API error is an HTTP 500 with a name, https://mailchimp.com/developer/transactional/docs/error-glossary/
NAMES: dict[str, tuple[Result, str]] = {
    "Invalid_Key": (Result.FAILED, "credentials"),
    "PaymentRequired": (Result.FAILED, "quota"),
    "Unknown_Subaccount": (Result.FAILED, "settings"),
    "Unknown_Template": (Result.FAILED, "settings"),
    "ServiceUnavailable": (Result.DEFERRED, ""),
}


class Mandrill(Dialect):
    """One by one: a batch cannot carry headers per recipient."""

    key = "mandrill"
    label = "Mandrill (Mailchimp Transactional)"
    docs_url = "https://mailchimp.com/developer/transactional/"
    spf_include = "spf.mandrillapp.com"
    backend = "anymail.backends.mandrill.EmailBackend"
    view = "anymail.webhooks.mandrill.MandrillCombinedWebhookView"
    api_url = "https://mandrillapp.com/api/1.0/"
    switches_tracking = True
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "HMAC-SHA1 of address and fields in X-Mandrill-Signature",
            "The webhook's key",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.REJECTED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
            ),
            setup=(
                "Settings > Webhooks > Add a webhook: this address and the events delivered, deferred, hard bounce, "
                "soft bounce, spam, unsubscribed, rejected. Then copy the webhook's key into the field below; the "
                "address must stay exactly as it is here, for it is part of the signature."
            ),
        ),
        notes=("Every API error is an HTTP 500; the name in it decides.",),
    )
    fields = (FormField("api_key", "API key", secret=True), TRACKING_FIELD)

    checks = (mandrill,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {"api_key": account.credentials["api_key"], "api_url": account.settings.get("api_url") or self.api_url}

    def read_lone(self, success: Success) -> Outcome:
        """reject_reason says what Mandrill holds against the address."""
        item = success.response.json()[0]
        outcome = super().read_lone(success)
        if outcome.result is Result.ACCEPTED:
            return outcome
        words = f"{item.get('status')}: {item.get('reject_reason') or ''}"
        return Outcome(outcome.result, outcome.code, text=clip(words), reason=outcome.reason)

    def judge(self, answer: Answer) -> Outcome:
        """By the error's name; GeneralError and a bare 500 are ambiguous."""
        error = answer.json()
        name = text(member(error, "name"))
        words = f"{name}: {text(member(error, 'message'))}"
        if not name:
            return from_status(answer.status, answer.headers, answer.text)
        if name == "ValidationError":
            result, reason = about_request(words)
        elif name == "GeneralError":
            result, reason = Result.UNCERTAIN, ""
        else:
            result, reason = NAMES.get(name, (Result.FAILED, "content"))
        return Outcome(result, code=answer.status, text=clip(words), reason=reason)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        body = json.dumps({"key": account.credentials["api_key"]}).encode()
        return Call("POST", api_url + "users/ping2.json", {"content-type": "application/json"}, body)

    def greets(self, request: WebhookRequest, /) -> bool:
        """Before it shows its key, Mandrill tries the address with an empty list under the key "test-webhook".

        https://mailchimp.com/developer/transactional/docs/webhooks/#testing-your-endpoint
        """
        return form(request).get("mandrill_events") == "[]"

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """The form field mandrill_events holds a list; those of the rejection list ("type") are about no message."""
        fields = form(request)
        if "mandrill_events" not in fields:
            raise UnreadableReceiptError("no field mandrill_events")
        return [raw for raw in json_list(json_value(fields["mandrill_events"].encode())) if "event" in raw]

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """hard_bounce and soft_bounce, with "spam" among the descriptions for blocks."""
        event = text(raw.get("event"))
        if event in ("hard_bounce", "soft_bounce"):
            reading.bounce_class = event.removesuffix("_bounce")
            if text(member(raw, "msg", "bounce_description")) in ("spam", "policy_related", "blocked"):
                reading.bounce_class = "block"
        elif event == "deferral":
            reading.bounce_class = "soft"
        elif event == "delivered":
            reading.kind = EventKind.DELIVERED
        reading.event_id = ""  # _id is the message's
        reading.ip = text(raw.get("ip"))
        return reading
