"""Mailjet Send API v3.1: https://dev.mailjet.com/email/reference/send-emails/, /guides/webhooks/ (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, from_status
from delivery.providers.basic_auth import basic
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    Proof,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import authorization

from .dialect import TRACKING_FIELD, Bundling, Success, json_list, json_value, one_each

# error_related_to of a bounce event: whose judgement it was.
BLOCKS = ("spam", "content", "policy", "system", "mailjet")


class Mailjet(Bundling):
    """Batches of whole messages; each answers for itself, with HTTP 400 where only some failed."""

    key = "mailjet"
    label = "Mailjet"
    docs_url = "https://dev.mailjet.com/email/guides/"
    spf_include = "spf.mailjet.com"
    backend = "anymail.backends.mailjet.EmailBackend"
    view = "anymail.webhooks.mailjet.MailjetTrackingWebhookView"
    api_url = "https://api.mailjet.com/v3.1/"
    batch_endpoint = "send"
    switches_tracking = True
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=50,
        batch_bytes=14_000_000,
        webhooks=Webhooks(
            Proof.BASIC_AUTH,
            "HTTP basic authentication",
            "user:password that you choose; it is part of the address to paste",
            (
                EventKind.DELIVERED,
                EventKind.BOUNCED,
                EventKind.REJECTED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
            ),
            setup=(
                "Account settings > Event notifications (webhooks): the address with its secret for sent, bounce, "
                "blocked, spam and unsub, with grouped events switched on."
            ),
        ),
    )
    fields = (
        FormField("api_key", "API key", secret=True),
        FormField("secret_key", "Secret key", secret=True),
        TRACKING_FIELD,
    )

    checks = (authorization,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {**account.credentials, "api_url": account.settings.get("api_url") or self.api_url}

    def bundle(self, payloads: Sequence[Any]) -> object:
        """Each message with what anymail would put into Globals."""
        return {"Messages": [{**payload.data["Globals"], **payload.data["Messages"][0]} for payload in payloads]}

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """One object per message, in order; a global error has no Messages."""
        return [self._read_one(item) for item in one_each(answer["Messages"], size)]

    def _read_one(self, item: Mapping[str, Any]) -> Outcome:
        """Status "success" or "error" with a list of what was wrong."""
        if item["Status"] == "success":
            return Outcome(Result.ACCEPTED, code=200, provider_id=str(item["To"][0]["MessageID"]))
        error = item["Errors"][0]
        words = f"{error.get('ErrorCode', '')} {error.get('ErrorMessage', '')}"
        related = " ".join(map(str, error.get("ErrorRelatedTo") or ()))
        result, reason = about_request(words)
        if related.startswith("To"):
            result, reason = Result.REFUSED, "address"
        elif related.startswith("From"):
            result, reason = Result.FAILED, "settings"
        return Outcome(result, code=int(error.get("StatusCode", 400)), text=clip(words), reason=reason)

    def read_lone(self, success: Success) -> Outcome:
        """As in a batch."""
        return self._read_one(success.response.json()["Messages"][0])

    def judge(self, answer: Answer) -> Outcome:
        """A batch that failed in part comes as HTTP 400 and is read by read_bundle; what is left is global."""
        words = text(member(answer.json(), "ErrorMessage")) or answer.text
        return from_status(answer.status, answer.headers, words)

    def probe(self, api_url: str, account: Account) -> Call:
        """The list of senders stands in the older API of the same host."""
        root = api_url.removesuffix("v3.1/")
        return Call(
            "GET",
            root + "v3/REST/sender?Limit=1",
            basic(account.credentials["api_key"], account.credentials["secret_key"]),
        )

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """A list of events, or one alone where "group events" is off."""
        value = json_value(request.body)
        return json_list([value] if isinstance(value, dict) else value)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """hard_bounce, and error_related_to for blocks."""
        if raw.get("event") == "bounce":
            hard = raw.get("hard_bounce") is True
            reading.bounce_class = "hard" if hard else "soft"
            if text(raw.get("error_related_to")) in BLOCKS:
                reading.bounce_class = "block"
        reading.reply = reading.reply or text(raw.get("comment")) or text(raw.get("error"))
        reading.ip = text(raw.get("ip"))
        return reading
