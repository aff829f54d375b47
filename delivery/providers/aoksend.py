"""AokSend: https://www.aoksend.com/api.html (read 2026-10). Templates only; the sender is bound to the key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from delivery.outcomes import Outcome, Result

from .answers import clip, from_status, unanswered
from .contract import ApiEnvelope, Capabilities, Content, FormField, ProbeReport, ProviderKind
from .http import Answer, Call
from .one_by_one import OneByOne, mapped, template_of
from .receipts import member, text
from .wire import wire_address

API_URL = "https://apiv2.aoksend.com/index/api/"
# The code comes as a number from one server and as a string from another. 40003 is also said of a template in review.
CODES: dict[int, tuple[Result, str]] = {
    200: (Result.ACCEPTED, ""),
    40001: (Result.FAILED, "credentials"),
    40002: (Result.FAILED, "credentials"),
    40003: (Result.FAILED, "settings"),
    40004: (Result.REFUSED, "address"),
    40005: (Result.REFUSED, "address"),
    40006: (Result.FAILED, "settings"),
    40007: (Result.FAILED, "quota"),
    40008: (Result.FAILED, "content"),
    40009: (Result.FAILED, "content"),
}
# Characters beyond the basic plane, and the signs that turn others into emoji, made the API answer 500.
EMOJI = re.compile("[\U00010000-\U0010ffff\u200d\ufe0f\u20e3\u2600-\u27bf]")

CAPABILITIES = Capabilities(
    content=Content.TEMPLATE_ONLY,
    per_recipient_headers=False,
    from_selectable=False,
    own_message_id=False,
    notes=(
        "No receipts are documented: opens and clicks are seen by our own links, bounces in AokSend's console only.",
        "Emoji are taken out of template variables.",
        "The SMTP relay (preset AokSend) takes free HTML and headers.",
    ),
)


class AokSend(OneByOne):
    """The template API of AokSend."""

    capabilities = CAPABILITIES

    def call(self, envelope: ApiEnvelope) -> Call:
        """See OneByOne."""
        settings = self._account.settings
        variables = {name: EMOJI.sub("", value) for name, value in mapped(envelope, settings["variables"]).items()}
        fields = {
            "app_key": self._account.credentials["app_key"],
            "template_id": template_of(envelope, settings),
            "to": wire_address(envelope.recipient),
            "reply_to": envelope.reply_to,
            "alias": EMOJI.sub("", envelope.from_name),
            "is_random": "1" if settings["is_random"] == "on" else "",
            "data": json.dumps(variables, ensure_ascii=False),
        }
        return self._post("send_email", {name: value for name, value in fields.items() if value})

    def _post(self, action: str, fields: Mapping[str, str]) -> Call:
        """A form-encoded call."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        url = (self._account.settings.get("api_url") or API_URL).rstrip("/") + "/" + action
        return Call("POST", url, headers, urlencode(fields).encode())

    def read(self, answer: Answer) -> Outcome:
        """See OneByOne."""
        if answer.status != 200:
            return from_status(answer.status, answer.headers, answer.text)
        code, words = _code(answer), clip(text(member(answer.json(), "message")))
        if code not in CODES:
            return unanswered(f"an answer of an unknown form: {answer.text}", answer.status)
        result, reason = CODES[code]
        identity = text(member(answer.json(), "msg_id")) or text(member(answer.json(), "data", "msg_id"))
        text_ = "" if result is Result.ACCEPTED else f"{code} {words}"
        return Outcome(result, code=answer.status, text=text_, provider_id=identity, reason=reason)

    def probe(self) -> Call:
        """https://www.aoksend.com/check_balance_api.html"""
        return self._post("check_account", {"app_key": self._account.credentials["app_key"]})

    def probe_report(self, answer: Answer) -> ProbeReport:
        """The balance, in messages."""
        works = answer.status == 200 and _code(answer) == 200
        balance = text(member(answer.json(), "account")) or text(member(answer.json(), "data", "account"))
        return ProbeReport(works, f"Balance: {balance or '?'}" if works else answer.text, answer.status)


def _code(answer: Answer) -> int:
    """The code as a number, 0 when there is none."""
    code = text(member(answer.json(), "code"))
    return int(code) if code.isdigit() else 0


KIND = ProviderKind(
    key="aoksend",
    label="AokSend (template API)",
    capabilities=CAPABILITIES,
    fields=(
        FormField("app_key", "app_key", secret=True),
        FormField(
            "template_id", "Template", required=False, help="E_…, approved. For another template add another account."
        ),
        FormField(
            "variables",
            "Variables",
            required=False,
            multiline=True,
            help="One line each: template_variable = campaign_variable. Empty: the campaign's own names.",
        ),
        FormField("is_random", "Rotate sending domains", default="off", choices=("off", "on")),
    ),
    factory=AokSend,
    docs_url="https://www.aoksend.com/api.html",
    spf_include="spf.mailzos.com",
    dns_notes=(
        "Use a subdomain of its own: AokSend asks for an MX record, which on the main domain would take its incoming "
        "mail. Its DKIM key (selector adkim) has 1024 bits. Send DMARC reports to an address of your own."
    ),
)
