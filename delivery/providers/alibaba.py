"""Alibaba Cloud DirectMail, API 2015-11-23: SingleSendMail, signed with ACS3-HMAC-SHA256 (docs read 2026-10).

https://www.alibabacloud.com/help/en/direct-mail/api-dm-2015-11-23-singlesendmail
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
https://www.alibabacloud.com/help/en/eventbridge/user-guide/events-of-the-direct-mail-type
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from delivery.outcomes import Outcome, Result

from .answers import clip, from_status, retry_after, unanswered
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
from .one_by_one import OneByOne
from .receipts import Reading, epoch, iso_time, member, seal, text
from .signatures import token_header
from .wire import wire_address

VERSION = "2015-11-23"
ENDPOINTS = (
    "https://dm.aliyuncs.com",
    "https://dm.ap-southeast-1.aliyuncs.com",
    "https://dm.eu-central-1.aliyuncs.com",
    "https://dm.us-east-1.aliyuncs.com",
)
# Of a mail's headers only these may be set, and X-User-*; at most 10.
HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post")
MID_HEADER = "X-User-Mid"
CODES: dict[str, tuple[Result, str]] = {
    "InvalidAccessKeyId.NotFound": (Result.FAILED, "credentials"),
    "InvalidAccessKeyId.Inactive": (Result.FAILED, "credentials"),
    "InvalidAccessKeyId": (Result.FAILED, "credentials"),
    "SignatureDoesNotMatch": (Result.FAILED, "credentials"),
    "IncompleteSignature": (Result.FAILED, "credentials"),
    "NoPermission": (Result.FAILED, "credentials"),
    "Forbidden.RAM": (Result.FAILED, "credentials"),
    "InvalidUser.Denied": (Result.FAILED, "credentials"),
    "InvalidTimeStamp.Expired": (Result.FAILED, "settings"),
    "InvalidMailAddress.NotFound": (Result.FAILED, "settings"),
    "InvalidMailAddressStatus.Malformed": (Result.FAILED, "settings"),
    "InvalidMailAddressDomain.Malformed": (Result.FAILED, "settings"),
    "InvalidToAddress": (Result.REFUSED, "address"),
    "InvalidToAddress.Spam": (Result.REFUSED, "suppressed"),
    "InvalidReceiverName.Malformed": (Result.REFUSED, "address"),
    "InvalidToAddress.NotExist": (Result.REFUSED, "address"),
    "InvalidBody": (Result.FAILED, "content"),
    "InvalidSubject.Malformed": (Result.FAILED, "content"),
    "InvalidSendMail.Spam": (Result.FAILED, "content"),
    "Throttling": (Result.DEFERRED, "rate"),
    "Throttling.User": (Result.DEFERRED, "rate"),
    "Throttling.Api": (Result.DEFERRED, "rate"),
    "InvalidQuota.Exceeded": (Result.FAILED, "quota"),
    "InvalidAccount.Overdue": (Result.FAILED, "quota"),
    "ServiceUnavailable": (Result.DEFERRED, ""),
}
KINDS: dict[str, EventKind] = {
    "dm:Deliver:Succeed": EventKind.DELIVERED,
    "dm:Deliver:Fail": EventKind.BOUNCED,
    "dm:Feedback:FblReport": EventKind.COMPLAINED,
    "dm:Feedback:UnSubscribe": EventKind.UNSUBSCRIBED,
    "dm:Trace:Open": EventKind.OPENED,
    "dm:Trace:Click": EventKind.CLICKED,
}
# failed_type of a delivery failure: SmtpNxBox is a missing mailbox; the others are told by the words in their names.
CLASS_WORDS = (("hard", ("nxbox", "nxdomain", "invalid", "notexist")), ("block", ("spam", "block", "reject", "black")))

CAPABILITIES = Capabilities(
    content=Content.FREE_HTML,
    per_recipient_headers=True,
    quotas=(Quota(100, 1, "calls"),),
    webhooks=Webhooks(
        Proof.TOKEN_HEADER,
        "Token in x-eventbridge-signature-token",
        "The token of the EventBridge HTTP target",
        (
            EventKind.DELIVERED,
            EventKind.BOUNCED,
            EventKind.COMPLAINED,
            EventKind.OPENED,
            EventKind.CLICKED,
            EventKind.UNSUBSCRIBED,
        ),
        setup=(
            "In EventBridge make a rule on events of DirectMail (source acs.dm) with this address as its HTTP target "
            "and the secret below as the target's token."
        ),
    ),
    notes=(
        "Only List-Unsubscribe, List-Unsubscribe-Post, Message-ID and X-User-* headers; sender name of at most 15 "
        "characters; subject of at most 100; bodies of at most 80 kB each.",
        "Receipts come through EventBridge with an HTTP target.",
    ),
)


class DirectMail(OneByOne):
    """SingleSendMail, one recipient per call."""

    capabilities = CAPABILITIES
    checks = (token_header("x-eventbridge-signature-token"),)

    def call(self, envelope: ApiEnvelope) -> Call:
        """See OneByOne; longer names are cut, longer subjects and bodies refused."""
        for what, size, most in (
            ("subject", len(envelope.subject), 100),
            ("HTML", len(envelope.html.encode()), 80 * 1024),
            ("text", len(envelope.text.encode()), 80 * 1024),
        ):
            if size > most:
                raise ValueError(f"DirectMail takes a {what} of at most {most}; this one has {size}.")
        headers = {name: envelope.headers[name] for name in HEADERS if name in envelope.headers}
        fields = {
            "AccountName": envelope.from_email,
            "AddressType": "1",
            "ReplyToAddress": "false",
            "ReplyAddress": envelope.reply_to,
            "ToAddress": wire_address(envelope.recipient),
            "Subject": envelope.subject,
            "HtmlBody": envelope.html,
            "TextBody": envelope.text,
            "FromAlias": envelope.from_name[:15],
            "TagName": self._account.settings.get("tag", ""),
            "ClickTrace": "0",
            "UnSubscribeLinkType": "disabled" if "List-Unsubscribe" in headers else "default",
            "Headers": json.dumps({**headers, MID_HEADER: envelope.message_token}),
        }
        return self._signed("SingleSendMail", {name: value for name, value in fields.items() if value})

    def _signed(self, action: str, fields: Mapping[str, str]) -> Call:
        """A signed form-encoded call."""
        url = self._account.settings.get("api_url") or self._account.settings["endpoint"]
        body = urlencode(fields).encode()
        headers = {
            "host": urlsplit(url).netloc,
            "content-type": "application/x-www-form-urlencoded",
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        key = (self._account.settings["access_key_id"], self._account.credentials["access_key_secret"])
        return Call("POST", url.rstrip("/") + "/", {**headers, "authorization": sign("POST", "", headers, key)}, body)

    def read(self, answer: Answer) -> Outcome:
        """EnvId names the message; errors have a Code."""
        found = answer.json()
        code = text(member(found, "Code"))
        if 200 <= answer.status < 300 and not code:
            identity = text(member(found, "EnvId"))
            if not identity:
                return unanswered(f"an answer of an unknown form: {answer.text}", answer.status)
            return Outcome(Result.ACCEPTED, code=answer.status, provider_id=identity)
        words = f"{code} {text(member(found, 'Message'))}" if code else answer.text
        if code not in CODES:
            return from_status(answer.status, answer.headers, words)
        result, reason = CODES[code]
        wait = retry_after(answer.headers) if result is Result.DEFERRED else None
        return Outcome(result, code=answer.status, text=clip(words), retry_after=wait, reason=reason)

    def probe(self) -> Call:
        """See OneByOne."""
        return self._signed("DescAccountSummary", {})

    def probe_report(self, answer: Answer) -> ProbeReport:
        """The account's daily quota and what is left of it."""
        found = answer.json()
        words = f"Daily quota {text(member(found, 'DailyQuota'))}, level {text(member(found, 'QuotaLevel'))}."
        return ProbeReport(answer.status == 200, words if answer.status == 200 else answer.text, answer.status)

    def parse_events(self, request: WebhookRequest) -> list[ProviderEvent]:
        """One CloudEvent per call."""
        try:
            raw = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise UnreadableReceiptError("not JSON") from error
        if not isinstance(raw, dict):
            raise UnreadableReceiptError("not a CloudEvent")
        return [seal(_reading(raw), raw, "alibaba")]


def sign(method: str, query: str, headers: Mapping[str, str], key: tuple[str, str]) -> str:
    """The Authorization header of an RPC call: path "/", all `headers` (lower-case names) signed."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join((method, "/", query, lines, names, headers["x-acs-content-sha256"]))
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(key[1].encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={signature}"


def _reading(raw: Mapping[str, object]) -> Reading:
    """A CloudEvent's data; env_id is what SingleSendMail answered."""
    data = raw.get("data")
    kind = KINDS.get(text(raw.get("type")) or text(member(data, "event")), EventKind.UNKNOWN)
    failed = text(member(data, "failed_type")).lower()
    bounce_class = next((name for name, words in CLASS_WORDS if any(word in failed for word in words)), "")
    return Reading(
        kind=kind,
        mid=text(member(data, "header", MID_HEADER)),
        provider_id=text(member(data, "env_id")),
        event_id=text(raw.get("id")),
        recipient=text(member(data, "rcpt")),
        occurred_at=iso_time(raw.get("time")) or epoch(member(data, "timestamp")),
        bounce_class=bounce_class,
        reply=text(member(data, "err_msg")),
        url=text(member(data, "url")),
        user_agent=text(member(data, "user_agent")),
        ip=text(member(data, "ip")),
    )


KIND = ProviderKind(
    key="alibaba",
    label="Alibaba Cloud DirectMail",
    capabilities=CAPABILITIES,
    fields=(
        FormField("access_key_id", "AccessKey ID"),
        FormField("access_key_secret", "AccessKey secret", secret=True),
        FormField("endpoint", "Endpoint", default=ENDPOINTS[0], choices=ENDPOINTS, help="Of the console's region."),
        FormField("tag", "Tag", required=False, help="Made in the console; needed for their statistics."),
    ),
    factory=DirectMail,
    docs_url="https://www.alibabacloud.com/help/en/direct-mail/",
    spf_include="spf1.dm.aliyun.com",
)
