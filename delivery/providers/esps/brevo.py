"""Brevo: https://developers.brevo.com/docs/batch-send-transactional-emails, /transactional-webhooks (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import clip, from_status
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    Idempotency,
    Proof,
    Quota,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, epoch, text
from delivery.providers.signatures import authorization

from .dialect import Bundling, json_list, json_value, one_each

CLASSES = {
    "hard_bounce": "hard",
    "invalid_email": "hard",
    "soft_bounce": "soft",
    "deferred": "soft",
    "blocked": "block",
}
# anymail 15.2 knows the first; Brevo's own documentation and samples have the second (2026-11).
UNSUBSCRIBES = ("unsubscribe", "unsubscribed")
KEY_HEADER = "idempotencyKey"
MACHINES = ("proxy_open", "unique_proxy_open")
PER_VERSION = ("to", "htmlContent", "textContent", "subject", "replyTo", "headers")


class Brevo(Bundling):
    """Batches of message versions, each with its own content; one bad version refuses the call."""

    key = "brevo"
    label = "Brevo"
    docs_url = "https://developers.brevo.com/"
    spf_include = "spf.brevo.com"
    backend = "anymail.backends.brevo.EmailBackend"
    view = "anymail.webhooks.brevo.BrevoTrackingWebhookView"
    api_url = "https://api.brevo.com/v3/"
    batch_endpoint = "smtp/email"
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=1000,
        batch_bytes=15_000_000,
        idempotency=Idempotency(lifetime=1_800, batches=True),
        per_recipient_results=False,
        webhooks=Webhooks(
            Proof.BASIC_AUTH,
            "HTTP basic authentication or a bearer token",
            "user:password that you choose, or the token set on the webhook",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.REJECTED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
                EventKind.FAILED,
            ),
            setup=(
                "Transactional > Settings > Webhook > Add a new webhook: this address, authentication Basic or Token "
                "with the secret below, and the events delivered, soft bounce, hard bounce, invalid email, deferred, "
                "blocked, error, complaint, unsubscribed."
            ),
        ),
        quotas=(Quota(100, 60, "batch calls"),),
        notes=("Header values must be ASCII.", "Open and click tracking is switched in Brevo's settings."),
    )
    fields = (FormField("api_key", "API key", secret=True, help="xkeysib-…"),)

    checks = (authorization,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {"api_key": account.credentials["api_key"], "api_url": account.settings.get("api_url") or self.api_url}

    def tune(self, payload: Any, key: str) -> None:
        """The key, a UUID, goes among the message's headers; it holds for 30 minutes."""
        payload.data["headers"][KEY_HEADER] = key

    def bundle(self, payloads: Sequence[Any]) -> object:
        """What every version has of its own; sender and defaults from the first."""
        first = payloads[0].data
        versions = [{name: p.data[name] for name in PER_VERSION if name in p.data} for p in payloads]
        shared = {name: first[name] for name in ("sender", "subject", "htmlContent", "textContent") if name in first}
        for version in versions:
            version["headers"] = {n: v for n, v in version["headers"].items() if n.lower() != KEY_HEADER.lower()}
        return {**shared, "headers": {KEY_HEADER: first["headers"][KEY_HEADER]}, "messageVersions": versions}

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """messageIds in the order of the versions."""
        ids = one_each(answer["messageIds"], size)
        return [Outcome(Result.ACCEPTED, code=201, provider_id=str(identity)) for identity in ids]

    def judge(self, answer: Answer) -> Outcome:
        """duplicate_parameter says that this key's call was taken before: a repeat after a lost answer."""
        if answer.status == 400 and "duplicate_parameter" in answer.text:
            return Outcome(Result.ACCEPTED, code=400, text=clip(answer.text))
        return from_status(answer.status, answer.headers, answer.text)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        return Call(
            "GET", api_url + "account", {"api-key": account.credentials["api_key"], "accept": "application/json"}
        )

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """One event, or a list of them where "batched" is on."""
        value = json_value(request.body)
        return json_list([value] if isinstance(value, dict) else value)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """Opens through Apple's proxy are told apart by name only."""
        event = text(raw.get("event"))
        if event in UNSUBSCRIBES:
            reading.kind = EventKind.UNSUBSCRIBED
        reading.bounce_class = CLASSES.get(event, "")
        reading.machine = event in MACHINES
        reading.occurred_at = epoch(raw.get("ts_epoch"), 0.001) or epoch(raw.get("ts_event"))
        reading.user_agent = text(raw.get("user_agent"))
        reading.ip = text(raw.get("ip"))
        return reading
