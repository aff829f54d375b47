"""MailerSend: https://developers.mailersend.com/api/v1/email.html, /webhooks.html (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import unanswered
from delivery.providers.contract import Account, Capabilities, Content, EventKind, FormField, Proof, Quota, Webhooks
from delivery.providers.http import Call
from delivery.providers.receipts import Reading, iso_time, member, text
from delivery.providers.signatures import hex_hmac_header

from .dialect import TRACKING_FIELD, Dialect, Success


class MailerSend(Dialect):
    """One by one: its bulk call returns no message ids and is limited to few calls."""

    key = "mailersend"
    label = "MailerSend"
    docs_url = "https://developers.mailersend.com/"
    spf_include = "_spf.mailersend.net"
    backend = "anymail.backends.mailersend.EmailBackend"
    view = "anymail.webhooks.mailersend.MailerSendTrackingWebhookView"
    api_url = "https://api.mailersend.com/v1/"
    carries_metadata = False
    switches_tracking = True
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        own_message_id=False,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "HMAC-SHA256 of the body in Signature",
            "The webhook's signing secret",
            (
                EventKind.DELIVERED,
                EventKind.BOUNCED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.UNSUBSCRIBED,
            ),
            setup=(
                "Domains > Manage > Webhooks > Create: this address and the events delivered, soft bounced, hard "
                "bounced, spam complaint, unsubscribed. Then copy the webhook's signing secret into the field below."
            ),
        ),
        quotas=(Quota(120, 60, "calls"),),
        notes=(
            "Own headers, List-Unsubscribe too, need a Professional or Enterprise plan.",
            "No metadata: receipts are matched by MailerSend's message id.",
        ),
    )
    fields = (FormField("api_token", "API token", secret=True, help="mlsn.…"), TRACKING_FIELD)

    checks = (hex_hmac_header("signature"),)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "api_token": account.credentials["api_token"],
            "api_url": account.settings.get("api_url") or self.api_url,
        }

    def read_lone(self, success: Success) -> Outcome:
        """A success without X-Message-Id and without a warning about suppression is of no documented form."""
        outcome = super().read_lone(success)
        if outcome.result is Result.FAILED:
            return unanswered(f"no message id in the answer: {success.response.text}", 200)
        return outcome

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        headers = {"authorization": f"Bearer {account.credentials['api_token']}", "accept": "application/json"}
        return Call("GET", api_url + "api-quota", headers)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """The type of the activity tells hard from soft."""
        data = raw.get("data")
        reading.bounce_class = text(member(data, "type")).removesuffix("_bounced")
        reading.occurred_at = iso_time(member(data, "created_at"))
        reading.ip = text(member(data, "morph", "ip"))
        return reading
