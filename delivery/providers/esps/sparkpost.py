"""SparkPost (Bird): https://developers.sparkpost.com/api/transmissions/, /api/webhooks/ (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.outcomes import Outcome, Result
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
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import authorization

from .dialect import TRACKING_FIELD, Draft, Merging, Part, Success, json_list, json_value

REGIONS = ("https://api.sparkpost.com/api/v1/", "https://api.eu.sparkpost.com/api/v1/")
# https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
CLASSES = {
    "1": "", "10": "hard", "20": "soft", "21": "soft", "22": "soft", "23": "soft", "24": "soft", "25": "block",
    "30": "hard", "40": "soft", "50": "block", "51": "block", "52": "block", "53": "block", "54": "block", "70": "soft",
}  # fmt: skip


class SparkPost(Merging):
    """One text with substitution data; bodies are always templates, so every message goes out as merged text."""

    key = "sparkpost"
    label = "SparkPost"
    docs_url = "https://developers.sparkpost.com/api/"
    spf_include = "sparkpostmail.com"
    backend = "anymail.backends.sparkpost.EmailBackend"
    view = "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView"
    api_url = REGIONS[0]
    switches_tracking = True
    always_merges = True
    syntax = Syntax("{{{", "}}}", ("{{", "}}"))
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=1000,
        batch_bytes=15_000_000,
        per_recipient_results=False,
        webhooks=Webhooks(
            Proof.BASIC_AUTH,
            "HTTP basic authentication",
            "user:password set on the webhook",
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
                EventKind.AUTO_REPLIED,
            ),
            setup=(
                "Webhooks > Create webhook: this address, basic authentication with the user and password below, and "
                "the events delivery, bounce, out of band, delay, policy rejection, generation failure, spam "
                "complaint, list and link unsubscribe."
            ),
        ),
    )
    fields = (
        FormField("api_key", "API key", secret=True, help="With the right to write transmissions."),
        FormField("api_url", "Region", default=REGIONS[0], choices=REGIONS),
        FormField("subaccount", "Subaccount", required=False, help="Its number; empty for the main account."),
        TRACKING_FIELD,
    )

    checks = (authorization,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "api_key": account.credentials["api_key"],
            "subaccount": account.settings.get("subaccount") or None,
            "api_url": account.settings["api_url"],
        }

    def dress(self, draft: Draft) -> None:
        """Marketing mail is not transactional: SparkPost then honours its own unsubscribe list."""
        super().dress(draft)
        draft.message.esp_extra = {"options": {"transactional": False}}

    def read_many(self, success: Success) -> list[Outcome]:
        """Only counts come back. Where some were rejected the transmission stands; their receipts name them by mid."""
        results = success.response.json()["results"]
        rejected = int(results["total_rejected_recipients"])
        if rejected == len(success.addresses):
            return [Outcome(Result.REFUSED, code=200, text="all recipients rejected", reason="suppressed")] * rejected
        note = f"{rejected} of {len(success.addresses)} rejected; the receipts name them" if rejected else ""
        return [
            Outcome(Result.ACCEPTED, code=200, text=note, provider_id=str(results["id"])) for _ in success.addresses
        ]

    def probe(self, api_url: str, account: Account) -> Call:
        """An empty transmission: a key that may send hears what is missing in it."""
        headers = {"authorization": account.credentials["api_key"], "content-type": "application/json"}
        return Call("POST", api_url + "transmissions/", headers, b"{}")

    def probe_report(self, answer: Answer) -> ProbeReport:
        """400 or 422 mean that the key was accepted."""
        works = answer.status in (400, 422)
        return ProbeReport(works, "The key is accepted." if works else answer.text, answer.status)

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """A list of {"msys": {class: event}}; {"msys": {}} is a ping."""
        return [raw for raw in json_list(json_value(request.body)) if raw.get("msys")]

    def translate(self, view: Any, part: Part) -> list[Any]:
        """Unwrap, then translate."""
        name, event, _ = view.unwrap_event(part.raw)
        return [view.esp_to_anymail_event(name, event, part.raw)]

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """initial_open is the first fetch of the upper pixel; is_prefetched says that a proxy did it."""
        event = next(iter(raw["msys"].values()))
        reading.bounce_class = CLASSES.get(text(event.get("bounce_class")), "")
        if reading.kind is EventKind.DEFERRED:
            reading.bounce_class = reading.bounce_class or "soft"
        if text(event.get("type")) in ("initial_open", "amp_initial_open"):
            reading.kind = EventKind.OPENED
        reading.machine = member(event, "user_agent_parsed", "is_prefetched") is True
        reading.ip = text(event.get("ip_address")) if reading.kind in (EventKind.OPENED, EventKind.CLICKED) else ""
        return reading
