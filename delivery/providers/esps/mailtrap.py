"""Mailtrap Email Sending: https://docs.mailtrap.io/developers/email-sending, webhooks (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import hex_hmac_header

from .dialect import Bundling, json_list, json_object, one_each

BLOCKS = ("spam", "blocklist", "blacklist", "policy", "content", "reputation")


class Mailtrap(Bundling):
    """Batches of whole messages, answered one by one."""

    key = "mailtrap"
    label = "Mailtrap"
    docs_url = "https://docs.mailtrap.io/"
    spf_include = "_spf.smtp.mailtrap.live"
    backend = "anymail.backends.mailtrap.EmailBackend"
    view = "anymail.webhooks.mailtrap.MailtrapTrackingWebhookView"
    api_url = "https://bulk.api.mailtrap.io/api/"
    batch_endpoint = "batch"
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=500,
        batch_bytes=40_000_000,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "HMAC-SHA256 of the body in Mailtrap-Signature",
            "The webhook's signature secret",
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
                "Settings > Webhooks > Create new webhook: email sending, the stream of this account, this address, "
                "JSON, and the events delivery, soft bounce, bounce, suspension, unsubscribe, spam complaint, reject. "
                "Then copy its signature secret into the field below."
            ),
        ),
        notes=("The bulk stream is used; open and click tracking is switched per domain in Mailtrap.",),
    )
    fields = (
        FormField("api_token", "API token", secret=True, help="With sending rights for the domain."),
        FormField(
            "api_url",
            "Stream address",
            default="https://bulk.api.mailtrap.io/api/",
            choices=("https://bulk.api.mailtrap.io/api/", "https://send.api.mailtrap.io/api/"),
        ),
    )

    checks = (hex_hmac_header("mailtrap-signature"),)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "api_token": account.credentials["api_token"],
            "api_url": account.settings["api_url"],
            "sandbox_id": None,
        }

    def bundle(self, payloads: Sequence[Any]) -> object:
        """Whole messages; nothing is shared."""
        return {"requests": [payload.data for payload in payloads]}

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """One object per message, in order."""
        return [self._read_one(item) for item in one_each(answer["responses"], size)]

    def _read_one(self, item: Mapping[str, Any]) -> Outcome:
        """success with message_ids, or errors in words."""
        if item["success"]:
            return Outcome(Result.ACCEPTED, code=200, provider_id=item["message_ids"][0])
        words = "; ".join(map(str, item.get("errors") or ()))
        result, reason = about_request(words)
        return Outcome(result, code=400, text=clip(words), reason=reason)

    def judge(self, answer: Answer) -> Outcome:
        """Errors come as a list of sentences."""
        errors = member(answer.json(), "errors")
        words = "; ".join(map(str, errors)) if isinstance(errors, list) else answer.text
        return from_status(answer.status, answer.headers, words)

    def probe(self, api_url: str, account: Account) -> Call:
        """An empty message: a working token hears what is missing in it, a bad one 401."""
        headers = {"api-token": account.credentials["api_token"], "content-type": "application/json"}
        return Call("POST", api_url + "send", headers, b"{}")

    def probe_report(self, answer: Answer) -> ProbeReport:
        """400 means that the token was accepted."""
        works = answer.status == 400
        return ProbeReport(works, "The token is accepted." if works else answer.text, answer.status)

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """{"events": [...]}, at most 500."""
        return json_list(json_object(request.body).get("events"))

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """ "soft bounce" is final for Mailtrap; "suspension" is a pause of the sender."""
        category = text(raw.get("bounce_category")).lower()
        if raw.get("event") in ("bounce", "soft bounce"):
            reading.kind = EventKind.BOUNCED
            reading.bounce_class = "hard" if raw.get("event") == "bounce" else "soft"
            if any(word in category for word in BLOCKS):
                reading.bounce_class = "block"
        reading.reply = reading.reply or text(raw.get("reason"))
        reading.ip = text(raw.get("ip"))
        return reading
