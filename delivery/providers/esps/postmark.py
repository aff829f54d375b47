"""Postmark: https://postmarkapp.com/developer/api/email-api, /webhooks/webhooks-overview (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, from_status
from delivery.providers.contract import Account, Capabilities, Content, EventKind, FormField, Proof, Webhooks
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, iso_time, member, text
from delivery.providers.signatures import authorization

from .dialect import TRACKING_FIELD, Bundling, Draft, Success, one_each

# https://postmarkapp.com/developer/api/overview#error-codes
CODES: dict[int, tuple[Result, str]] = {
    10: (Result.FAILED, "credentials"),
    100: (Result.DEFERRED, ""),  # maintenance: nothing is taken
    400: (Result.FAILED, "settings"),  # sender signature not found
    401: (Result.FAILED, "settings"),  # sender signature not confirmed
    405: (Result.FAILED, "quota"),  # not allowed to send: out of credits
    406: (Result.REFUSED, "suppressed"),
    412: (Result.FAILED, "credentials"),  # account is pending approval
    413: (Result.FAILED, "credentials"),  # account may not send
    429: (Result.DEFERRED, "rate"),
    1235: (Result.FAILED, "settings"),  # message stream does not exist
}
# https://postmarkapp.com/developer/api/bounce-api#bounce-types. "Blocked" and "SpamNotification" are the receiving
# server's judgement on the mail, not the person's complaint: they must not suppress anybody.
BOUNCES: dict[str, tuple[EventKind, str]] = {
    "HardBounce": (EventKind.BOUNCED, "hard"),
    "BadEmailAddress": (EventKind.BOUNCED, "hard"),
    "SoftBounce": (EventKind.BOUNCED, "soft"),
    "Transient": (EventKind.DEFERRED, "soft"),
    "DnsError": (EventKind.DEFERRED, "soft"),
    "Blocked": (EventKind.BOUNCED, "block"),
    "SpamNotification": (EventKind.BOUNCED, "block"),
    "DMARCPolicy": (EventKind.BOUNCED, "block"),
    "VirusNotification": (EventKind.BOUNCED, "block"),
}


class Postmark(Bundling):
    """Batches of whole messages with an error code for each."""

    key = "postmark"
    label = "Postmark"
    docs_url = "https://postmarkapp.com/developer"
    spf_include = "spf.mtasv.net"
    backend = "anymail.backends.postmark.EmailBackend"
    view = "anymail.webhooks.postmark.PostmarkTrackingWebhookView"
    api_url = "https://api.postmarkapp.com/"
    batch_endpoint = "email/batch"
    switches_tracking = True
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=500,
        batch_bytes=40_000_000,
        webhooks=Webhooks(
            Proof.BASIC_AUTH,
            "HTTP basic authentication",
            "user:password that you choose; it is part of the address to paste",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
                EventKind.AUTO_REPLIED,
            ),
            setup=(
                "Message streams > your Broadcast stream > Webhooks > Add webhook: the address with its secret, and "
                "the events delivery, bounce, spam complaint, subscription change."
            ),
        ),
        notes=("Marketing mail must use a Broadcast message stream.",),
    )
    fields = (
        FormField("server_token", "Server API token", secret=True),
        FormField("message_stream", "Message stream", default="broadcast", help="The ID of a Broadcast stream."),
        TRACKING_FIELD,
    )

    checks = (authorization,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "server_token": account.credentials["server_token"],
            "api_url": account.settings.get("api_url") or self.api_url,
        }

    def dress(self, draft: Draft) -> None:
        """Name the stream."""
        super().dress(draft)
        draft.message.esp_extra = {"MessageStream": draft.account.settings["message_stream"]}

    def bundle(self, payloads: Sequence[Any]) -> object:
        """A plain list of messages."""
        return [payload.data for payload in payloads]

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """One object per message, in order."""
        return [self._read_one(item) for item in one_each(answer, size)]

    def _read_one(self, item: Mapping[str, Any]) -> Outcome:
        """ErrorCode 0 is acceptance; MessageID stands only then."""
        code = int(item.get("ErrorCode", 0))
        if code == 0:
            return Outcome(Result.ACCEPTED, code=200, text=clip(str(item["Message"])), provider_id=item["MessageID"])
        words = f"{code} {item.get('Message', '')}"
        result, reason = CODES.get(code) or about_request(words)
        return Outcome(result, code=422, text=clip(words), reason=reason)

    def read_lone(self, success: Success) -> Outcome:
        """As in a batch."""
        return self._read_one(success.response.json())

    def judge(self, answer: Answer) -> Outcome:
        """422 carries an error code of Postmark's own."""
        item = answer.json()
        if answer.status in (401, 422) and isinstance(item, dict) and item.get("ErrorCode"):
            return self._read_one(item)
        return from_status(answer.status, answer.headers, answer.text)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        headers = {"accept": "application/json", "x-postmark-server-token": account.credentials["server_token"]}
        return Call("GET", api_url + "server", headers)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """The Type of a bounce says more than anymail keeps."""
        if raw.get("RecordType") == "Bounce":
            reading.kind, reading.bounce_class = BOUNCES.get(text(raw.get("Type")), (reading.kind, ""))
        for name in ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"):
            reading.occurred_at = reading.occurred_at or iso_time(raw.get(name))
        reading.ip = text(member(raw, "Geo", "IP"))
        return reading
