"""SendGrid v3: https://www.twilio.com/docs/sendgrid/api-reference/mail-send, /tracking-events/event (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from delivery.outcomes import Outcome
from delivery.providers.answers import unanswered
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    ProbeReport,
    Proof,
    Quota,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading, text
from delivery.providers.signatures import public_key, sendgrid

from .dialect import TRACKING_FIELD, Draft, Merging, Success, json_list, json_value

# https://www.twilio.com/docs/sendgrid/ui/analytics-and-reporting/bounce-and-block-classifications
CLASSIFIED = {
    "invalid address": "hard",
    "mailbox unavailable": "soft",
    "technical": "soft",
    "frequency or volume too high": "block",
    "content": "block",
    "reputation": "block",
    "unclassified": "",
}


class SendGrid(Merging):
    """One text with substitutions per personalization; the answer is an empty 202."""

    key = "sendgrid"
    label = "SendGrid"
    docs_url = "https://www.twilio.com/docs/sendgrid"
    spf_include = "sendgrid.net"
    backend = "delivery.providers.esps.sendgrid_backend.QuietBackend"
    view = "anymail.webhooks.sendgrid.SendGridTrackingWebhookView"
    api_url = "https://api.sendgrid.com/v3/"
    switches_tracking = True
    syntax = Syntax("-field.", "-", ("-field.",))
    values_most_bytes = 9_000  # substitutions: 10,000 bytes per personalization
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=1000,
        batch_bytes=25_000_000,
        per_recipient_results=False,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "ECDSA P-256 over timestamp and body",
            "The verification key of the signed event webhook",
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
                "Settings > Mail settings > Event webhooks > Create: this address, all deliverability data, spam "
                "reports and unsubscribes, and the signature verification switched on. Then copy its verification key "
                "into the field below."
            ),
        ),
        quotas=(Quota(10_000, 1, "calls"),),
        notes=("anymail no longer tests against SendGrid.",),
    )
    fields = (FormField("api_key", "API key", secret=True, help="SG.…, with the Mail Send right."), TRACKING_FIELD)

    checks = (sendgrid,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {"api_key": account.credentials["api_key"], "api_url": account.settings.get("api_url") or self.api_url}

    def dress(self, draft: Draft) -> None:
        """Substitution tags are spelled out: SendGrid replaces them wherever they stand."""
        super().dress(draft)
        if len(draft.envelopes) > 1:
            draft.message.merge_data = {
                address: {f"{self.syntax.opening}{name}{self.syntax.closing}": value for name, value in values.items()}
                for address, values in draft.message.merge_data.items()
            }

    def read_lone(self, success: Success) -> Outcome:
        """As in a batch."""
        return self.read_many(success)[0]

    def read_many(self, success: Success) -> list[Outcome]:
        """202 with an empty body takes all; the ids are those that anymail made up."""
        if success.response.status_code != 202:
            lost = unanswered(f"an answer of an unknown form: {success.response.text}", success.response.status_code)
            return [lost for _ in success.addresses]
        return super().read_many(success)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        return Call("GET", api_url + "scopes", {"authorization": f"Bearer {account.credentials['api_key']}"})

    def probe_report(self, answer: Answer) -> ProbeReport:
        """The key must have mail.send."""
        if answer.status == 200 and '"mail.send"' not in answer.text:
            return ProbeReport(False, "The key works but lacks the Mail Send right (mail.send).", answer.status)
        words = "The key may send mail." if answer.status == 200 else answer.text
        return ProbeReport(answer.status == 200, words, answer.status)

    def secret_problem(self, secret: str, /) -> str:
        """See Dialect."""
        is_key = isinstance(public_key(secret), ec.EllipticCurvePublicKey)
        return "" if is_key else "This is no public key of SendGrid: paste it whole, as it is shown there."

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """A list of events."""
        return json_list(json_value(request.body))

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """type "blocked" is a refusal of the mail, "bounce" of the address; the ip of a delivery is SendGrid's own."""
        event = text(raw.get("event"))
        if event == "bounce":
            blocked = text(raw.get("type")) == "blocked"
            by_status = "soft" if text(raw.get("status")).startswith("4") else "hard"
            known = CLASSIFIED.get(text(raw.get("bounce_classification")).lower(), by_status)
            reading.bounce_class = "block" if blocked else known
        elif event == "deferred":
            reading.bounce_class = "soft"
        elif event == "dropped":
            reading.reply = text(raw.get("reason"))
        reading.machine = raw.get("sg_machine_open") is True
        reading.ip = text(raw.get("ip")) if event in ("open", "click") else ""
        return reading
