"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from delivery.providers.basic_auth import basic
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
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading, member, text
from delivery.providers.signatures import mailgun

from .dialect import TRACKING_FIELD, Merging

REGIONS = ("https://api.mailgun.net/v3", "https://api.eu.mailgun.net/v3")
SUPPRESSED = ("suppress-bounce", "suppress-complaint", "suppress-unsubscribe")


class Mailgun(Merging):
    """One text with recipient variables; any invalid address refuses the whole call, one id stands for all."""

    key = "mailgun"
    label = "Mailgun"
    docs_url = "https://documentation.mailgun.com/"
    spf_include = "mailgun.org"
    backend = "anymail.backends.mailgun.EmailBackend"
    view = "anymail.webhooks.mailgun.MailgunTrackingWebhookView"
    api_url = REGIONS[0]
    switches_tracking = True
    syntax = Syntax("%recipient.", "%", ("%recipient", "%tag", "%unsubscribe_url%", "%mailing_list"))
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=1000,
        batch_bytes=20_000_000,
        per_recipient_results=False,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "HMAC-SHA256 of timestamp and token, in the body",
            "The HTTP webhook signing key of the account",
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
                "Send > Webhooks for the sending domain: this address for delivered messages, permanent failure, "
                "temporary failure, spam complaints, unsubscribes. The key to store is under Account settings > API "
                "security > HTTP webhook signing key."
            ),
        ),
    )
    fields = (
        FormField("api_key", "API key or sending key", secret=True),
        FormField("sender_domain", "Sending domain", help="As it stands in Mailgun, such as mg.example.com."),
        FormField("api_url", "Region", default=REGIONS[0], choices=REGIONS),
        TRACKING_FIELD,
    )

    checks = (mailgun,)

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {
            "api_key": account.credentials["api_key"],
            "sender_domain": account.settings["sender_domain"],
            "api_url": account.settings["api_url"],
        }

    def probe(self, api_url: str, account: Account) -> Call:
        """An empty message in test mode: the only call that a sending key may make."""
        domain = quote(account.settings["sender_domain"], safe="")
        headers = {**basic("api", account.credentials["api_key"]), "content-type": "application/x-www-form-urlencoded"}
        return Call("POST", f"{api_url}{domain}/messages", headers, b"o%3Atestmode=yes")

    def probe_report(self, answer: Answer) -> ProbeReport:
        """400 ("from parameter is missing") means that key and domain are accepted."""
        works = answer.status == 400
        return ProbeReport(works, "The key and the domain are accepted." if works else answer.text, answer.status)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """severity tells hard from soft, reason names Mailgun's own list; client-info.bot names machine openers."""
        data = raw.get("event-data")
        reason = text(member(data, "reason"))
        if text(member(data, "event")) == "failed":
            reading.bounce_class = "soft" if text(member(data, "severity")) == "temporary" else "hard"
            if reason in SUPPRESSED:
                reading.kind, reading.bounce_class = EventKind.REJECTED, "hard" if reason == SUPPRESSED[0] else ""
            elif reason == "espblock":
                reading.bounce_class = "block"
            elif reason == "old":
                reading.bounce_class = "soft"
        # event-data.id is unique within a day only; the signature's token is another one in every try.
        reading.event_id = f"{text(member(data, 'id'))}:{text(member(data, 'timestamp'))}"
        reading.machine = bool(text(member(data, "client-info", "bot")))
        reading.ip = text(member(data, "ip"))
        return reading
