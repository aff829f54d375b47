"""Tencent Cloud SES, API 2020-10-02: SendEmail with templates, signed with TC3-HMAC-SHA256 (docs read 2026-10).

https://www.tencentcloud.com/document/product/1084/39408 (SendEmail), /39492 (webhooks), /39411 (errors)
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from delivery.outcomes import Outcome, Result

from .answers import clip, from_status, unanswered
from .contract import (
    ApiEnvelope,
    Capabilities,
    Content,
    EventKind,
    FormField,
    ProbeReport,
    Proof,
    ProviderEvent,
    ProviderKind,
    Quota,
    UnreadableReceiptError,
    WebhookRequest,
    Webhooks,
)
from .http import Answer, Call
from .one_by_one import OneByOne, mapped, template_of
from .receipts import Reading, epoch, member, seal, text
from .signatures import secret_in_url
from .wire import wire_address

VERSION = "2020-10-02"
API_URL = "https://ses.tencentcloudapi.com"
REGIONS = ("ap-guangzhou", "ap-hongkong", "ap-singapore")
CUSTOM = "X-Tencentcloudses-Cb-Custom"  # comes back in every webhook call
# Errors come as HTTP 200 with Response.Error; by full code, then by the part before the dot.
CODES: dict[str, tuple[Result, str]] = {
    "AuthFailure": (Result.FAILED, "credentials"),
    "UnauthorizedOperation": (Result.FAILED, "credentials"),
    "RequestLimitExceeded": (Result.DEFERRED, "rate"),
    "LimitExceeded": (Result.FAILED, "quota"),
    "InternalError": (Result.UNCERTAIN, ""),
    "OperationDenied": (Result.FAILED, "settings"),
    "UnsupportedRegion": (Result.FAILED, "settings"),
    "FailedOperation.FrequencyLimit": (Result.DEFERRED, ""),  # of one recipient
    "FailedOperation.TemporaryBlocked": (Result.DEFERRED, ""),  # of one mailbox provider
    "FailedOperation.ServiceNotAvailable": (Result.DEFERRED, ""),
    "FailedOperation.ExceedSendLimit": (Result.FAILED, "quota"),
    "FailedOperation.InsufficientBalance": (Result.FAILED, "quota"),
    "FailedOperation.InsufficientQuota": (Result.FAILED, "quota"),
    "FailedOperation.HighRejectionRate": (Result.FAILED, "credentials"),
    "FailedOperation.NotAuthenticatedSender": (Result.FAILED, "settings"),
    "FailedOperation.IncorrectSender": (Result.FAILED, "settings"),
    "FailedOperation.InvalidTemplateID": (Result.FAILED, "settings"),
    "FailedOperation.WithOutPermission": (Result.FAILED, "settings"),
    "FailedOperation.IncorrectEmail": (Result.REFUSED, "address"),
    "FailedOperation.EmailAddrInBlacklist": (Result.REFUSED, "suppressed"),
    "FailedOperation.ReceiverHasUnsubscribed": (Result.REFUSED, "suppressed"),
    "FailedOperation.RejectedByRecipients": (Result.REFUSED, "suppressed"),
    "InvalidParameterValue.ReceiverEmailInvalid": (Result.REFUSED, "address"),
    "InvalidParameterValue.IllegalEmailAddress": (Result.REFUSED, "address"),
    "InvalidParameterValue.EmailAddressIsNULL": (Result.REFUSED, "address"),
    "InvalidParameterValue.NoSuchSender": (Result.FAILED, "settings"),
    "InvalidParameterValue.NotExistDomain": (Result.FAILED, "settings"),
    "InvalidParameterValue.TemplateNotExist": (Result.FAILED, "settings"),
}
# "RequestLimitExceeded" is per second; FrequencyLimit is 10 mails an hour to one address, TemporaryBlocked ten minutes.
WAITS = {"RequestLimitExceeded": 1, "FailedOperation.FrequencyLimit": 3600, "FailedOperation.TemporaryBlocked": 600}
KINDS: dict[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "dropped": EventKind.REJECTED,
    "bounce": EventKind.BOUNCED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
}

CAPABILITIES = Capabilities(
    content=Content.TEMPLATE_ONLY,
    per_recipient_headers=True,
    quotas=(
        Quota(20, 1, "calls"),
        Quota(10, 3600, "messages", "recipient"),
        Quota(500, 86_400, "messages", "new account"),
    ),
    webhooks=Webhooks(
        Proof.SECRET_IN_URL,
        "Secret in the address: the calls are not signed",
        "Any long random word; it is part of the address to paste",
        tuple(KINDS.values()),
        setup="Email sending > Callback address in the SES console: the address with its secret, for all events.",
    ),
    notes=(
        "Variables of a template are text, not HTML.",
        "Headers go out as SmtpHeaders, a JSON object; look at a test message's List-Unsubscribe before a campaign.",
    ),
)


class TencentSes(OneByOne):
    """SendEmail with a template, one recipient per call: all recipients of a call see each other."""

    capabilities = CAPABILITIES
    checks = (secret_in_url,)

    def call(self, envelope: ApiEnvelope) -> Call:
        """See OneByOne."""
        settings = self._account.settings
        template = template_of(envelope, settings)
        if not template.isdigit():
            raise ValueError(f"A template ID of Tencent is a number, not {template!r}.")
        if ":" in envelope.from_name:
            raise ValueError("A sender name at Tencent holds no colon.")
        name = f"{envelope.from_name} " if envelope.from_name else ""
        body: dict[str, object] = {
            "FromEmailAddress": f"{name}<{envelope.from_email}>" if name else envelope.from_email,
            "Destination": [wire_address(envelope.recipient)],
            "Subject": envelope.subject,
            "Template": {
                "TemplateID": int(template),
                "TemplateData": json.dumps(mapped(envelope, settings["variables"]), ensure_ascii=False),
            },
            "TriggerType": 0,
            "Unsubscribe": "0",
            "SmtpHeaders": json.dumps({**envelope.headers, CUSTOM: envelope.message_token}, ensure_ascii=False),
        }
        if envelope.reply_to:
            body["ReplyToAddresses"] = envelope.reply_to
        return self._signed("SendEmail", body)

    def _signed(self, action: str, body: Mapping[str, object]) -> Call:
        """A signed JSON call."""
        url = self._account.settings.get("api_url") or API_URL
        payload = json.dumps(body).encode()
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "host": urlsplit(url).netloc,
            "x-tc-action": action,
            "x-tc-version": VERSION,
            "x-tc-region": self._account.settings["region"],
            "x-tc-timestamp": str(int(now.timestamp())),
        }
        key = (self._account.settings["secret_id"], self._account.credentials["secret_key"])
        signed = {name: headers[name] for name in ("content-type", "host", "x-tc-action")}
        return Call(
            "POST", url.rstrip("/") + "/", {**headers, "authorization": sign(signed, payload, now, key)}, payload
        )

    def read(self, answer: Answer) -> Outcome:
        """Response.MessageId, or Response.Error with a code."""
        found = answer.json()
        code = text(member(found, "Response", "Error", "Code"))
        if not code:
            identity = text(member(found, "Response", "MessageId"))
            if answer.status == 200 and identity:
                return Outcome(Result.ACCEPTED, code=200, provider_id=identity)
            if answer.status == 200:
                return unanswered(f"an answer of an unknown form: {answer.text}", 200)
            return from_status(answer.status, answer.headers, answer.text)
        words = clip(f"{code}: {text(member(found, 'Response', 'Error', 'Message'))}")
        result, reason = CODES.get(code) or CODES.get(code.partition(".")[0]) or (Result.FAILED, "content")
        wait = WAITS.get(code, 60) if result is Result.DEFERRED else None
        return Outcome(result, code=answer.status, text=words, retry_after=wait, reason=reason)

    def probe(self) -> Call:
        """The list of sending domains."""
        return self._signed("ListEmailIdentities", {"Limit": 1, "Offset": 0})

    def probe_report(self, answer: Answer) -> ProbeReport:
        """See OneByOne."""
        found = answer.json()
        error = member(found, "Response", "Error")
        works = answer.status == 200 and error is None and member(found, "Response") is not None
        words = f"{text(member(error, 'Code'))}: {text(member(error, 'Message'))}" if error else answer.text
        return ProbeReport(works, "The key is accepted." if works else words, answer.status)

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """One flat event per call."""
        try:
            raw = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise UnreadableReceiptError("not JSON") from error
        if not isinstance(raw, dict):
            raise UnreadableReceiptError("not an event")
        return [seal(_reading(raw), raw, "tencent")]


def sign(headers: Mapping[str, str], payload: bytes, now: datetime, key: tuple[str, str], service: str = "ses") -> str:
    """The Authorization header of a POST to "/" with these signed headers (lower-case names)."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].lower().strip()}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", "/", "", lines, names, hashlib.sha256(payload).hexdigest()))
    scope = f"{now:%Y-%m-%d}/{service}/tc3_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("TC3-HMAC-SHA256", str(int(now.timestamp())), scope, digest))
    secret = ("TC3" + key[1]).encode()
    for part in (f"{now:%Y-%m-%d}", service, "tc3_request"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"


def _reading(raw: Mapping[str, object]) -> Reading:
    """bulkId is what SendEmail answered; the domestic documentation writes bounce types without "_bounce"."""
    return Reading(
        kind=KINDS.get(text(raw.get("event")), EventKind.UNKNOWN),
        mid=text(raw.get(CUSTOM)),
        provider_id=text(raw.get("bulkId")) or text(raw.get("bulkid")),
        recipient=text(raw.get("email")),
        occurred_at=epoch(raw.get("timestamp")),
        bounce_class=text(raw.get("bounceType")).removesuffix("_bounce"),
        reply=text(raw.get("reason")),
        url=text(raw.get("link")),
        user_agent=text(raw.get("useragent")),
    )


KIND = ProviderKind(
    key="tencent",
    label="Tencent Cloud SES",
    capabilities=CAPABILITIES,
    fields=(
        FormField("secret_id", "SecretId"),
        FormField("secret_key", "SecretKey", secret=True),
        FormField("region", "Region", default=REGIONS[0], choices=REGIONS),
        FormField(
            "template_id", "Template ID", required=False, help="Approved. For another template add another account."
        ),
        FormField(
            "variables",
            "Variables",
            required=False,
            multiline=True,
            help="One line each: template_variable = campaign_variable. Empty: the campaign's own names.",
        ),
    ),
    factory=TencentSes,
    docs_url="https://www.tencentcloud.com/document/product/1084",
    spf_include="qcloudmail.com",
)
