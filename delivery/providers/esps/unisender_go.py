"""Unisender Go (UniOne): https://godocs.unisender.ru/web-api-ref, v1.76 (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import from_status
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    Idempotency,
    ProbeReport,
    Proof,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import unisender

from .dialect import TRACKING_FIELD, Draft, Merging, Success, json_list, json_object

DATA_CENTERS = (
    "https://go1.unisender.ru/ru/transactional/api/v1",
    "https://go2.unisender.ru/ru/transactional/api/v1",
    "https://eu1.unione.io/en/transactional/api/v1",
    "https://us1.unione.io/en/transactional/api/v1",
)
# https://godocs.unisender.ru/web-api-ref#email-send, failed_emails
FAILED_EMAILS: dict[str, tuple[Result, str]] = {
    "invalid": (Result.REFUSED, "address"),
    "permanent_unavailable": (Result.REFUSED, "suppressed"),
    "unsubscribed": (Result.REFUSED, "suppressed"),
    "complained": (Result.REFUSED, "suppressed"),
    "blocked": (Result.REFUSED, "suppressed"),
    "temporary_unavailable": (Result.DEFERRED, ""),
}
DAY = 86_400
BLOCKS = ("err_spam_rejected", "err_blacklisted", "err_spam_skipped")


class UnisenderGo(Merging):
    """One text with substitutions; of the headers only List-Unsubscribe may differ per recipient."""

    key = "unisender_go"
    label = "Unisender Go"
    docs_url = "https://godocs.unisender.ru/"
    spf_include = "spf.unisender.ru"
    backend = "anymail.backends.unisender_go.EmailBackend"
    view = "anymail.webhooks.unisender_go.UnisenderGoTrackingWebhookView"
    api_url = DATA_CENTERS[0]
    switches_tracking = True
    syntax = Syntax("{{", "}}", ("{{", "}}"))
    # Whether the "simple" engine escapes HTML in values is not documented: only values without any are merged.
    values_must_be_plain = True
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=500,
        batch_bytes=9_000_000,
        idempotency=Idempotency(lifetime=60, batches=True),
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "MD5 of the body with the API key in place of auth",
            "The API key of the user or project",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
            ),
            setup=(
                "Settings > Webhooks > Add: this address, format JSON (compressed or not), delivery details on, and "
                "the statuses delivered, soft bounced, hard bounced, spam, unsubscribed. The account's API key proves "
                "the calls: there is nothing more to store."
            ),
            secret_field="api_key",  # noqa: S106 - the name of a field
        ),
        notes=(
            "Ask support to allow own unsubscribe links (skip_unsubscribe), and look whether a test message carries "
            "List-Unsubscribe-Post: their page names List-Unsubscribe only.",
            "Requests of at most 10 MB.",
        ),
    )
    fields = (
        FormField("api_key", "API key", secret=True),
        FormField("api_url", "Data centre", default=DATA_CENTERS[0], choices=DATA_CENTERS),
        FormField("skip_unsubscribe", "Leave out their unsubscribe footer", default="on", choices=("on", "off")),
        TRACKING_FIELD,
    )

    checks = (unisender,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "api_key": account.credentials["api_key"],
            "api_url": account.settings["api_url"],
            "generate_message_id": True,
        }

    def dress(self, draft: Draft) -> None:
        """Bodies that hold their braces must not be read as templates."""
        super().dress(draft)
        extra: dict[str, Any] = {"skip_unsubscribe": 1 if draft.account.settings["skip_unsubscribe"] == "on" else 0}
        first = draft.envelopes[0]
        if len(draft.envelopes) == 1 and not self.syntax.is_safe(first.html + first.text + first.subject):
            extra["template_engine"] = "none"
        draft.message.esp_extra = extra

    def tune(self, payload: Any, key: str) -> None:
        """At most 64 characters; new in v1.69 (2025-01)."""
        payload.data["idempotence_key"] = key

    def read_many(self, success: Success) -> list[Outcome]:
        """failed_emails names those left out."""
        found = success.response.json()
        failed = {address.lower(): word for address, word in (found.get("failed_emails") or {}).items()}
        taken = {address.lower() for address in found["emails"]}
        ids = {address.lower(): str(status.message_id or "") for address, status in success.statuses.items()}
        return [self._read_one(a.lower(), a.lower() in taken, failed, ids) for a in success.addresses]

    def _read_one(self, address: str, taken: bool, failed: Mapping[str, str], ids: Mapping[str, str]) -> Outcome:
        """A "duplicate" stands in both lists and is sent once."""
        if taken:
            return Outcome(Result.ACCEPTED, code=200, provider_id=ids.get(address, ""))
        if address not in failed:
            return Outcome(Result.UNCERTAIN, code=200, text="this recipient is not in the answer")
        result, reason = FAILED_EMAILS.get(failed[address], (Result.REFUSED, ""))
        wait = DAY if result is Result.DEFERRED else None
        return Outcome(result, code=200, text=failed[address], retry_after=wait, reason=reason)

    def judge(self, answer: Answer) -> Outcome:
        """Code 204: no valid recipient; failed_emails then says why."""
        failed = member(answer.json(), "failed_emails")
        if answer.status == 400 and isinstance(failed, dict) and len(failed) == 1:
            return self._read_one(next(iter(failed)), False, failed, {})
        return from_status(answer.status, answer.headers, answer.text)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        headers = {"x-api-key": account.credentials["api_key"], "content-type": "application/json"}
        return Call("POST", api_url + "system/info.json", headers, b"{}")

    def probe_report(self, answer: Answer) -> ProbeReport:
        """See Dialect."""
        works = answer.status == 200 and '"success"' in answer.text
        return ProbeReport(works, answer.text, answer.status)

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """One flat event, or those of a user; other names than transactional_email_status are not about a message."""
        found = json_object(request.body)
        if "events_by_user" not in found:
            return [found] if found.get("event_name") == "transactional_email_status" else []
        events = [event for user in json_list(found["events_by_user"]) for event in json_list(user.get("events"))]
        named = [event for event in events if event.get("event_name") == "transactional_email_status"]
        return [event["event_data"] for event in named if isinstance(event.get("event_data"), dict)]

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """hard_bounced and soft_bounced, unless the delivery status is a block."""
        status = text(raw.get("status"))
        if status in ("hard_bounced", "soft_bounced"):
            reading.bounce_class = status.removesuffix("_bounced")
            if text(member(raw, "delivery_info", "delivery_status")) in BLOCKS:
                reading.bounce_class = "block"
        reading.ip = text(member(raw, "delivery_info", "ip"))
        return reading
