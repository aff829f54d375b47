"""Amazon SES v2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/ (read 2026-10); receipts come through SNS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, unanswered, unsent
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    ProbeReport,
    Proof,
    Quota,
    UnreadableReceiptError,
    WebhookRequest,
    Webhooks,
)
from delivery.providers.http import Call, Http, UnansweredError, UnsentError
from delivery.providers.merging import Syntax
from delivery.providers.receipts import Reading, iso_time, member, text
from delivery.providers.sns import Fetch, confirmation_url, message, verify

from .dialect import Draft, Merging, Part, Success, json_object, one_each
from .session import CONNECT_SECONDS, READ_SECONDS, TRAIL

REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors and common errors
ERRORS: dict[str, tuple[Result, str]] = {
    "TooManyRequestsException": (Result.DEFERRED, "rate"),
    "ThrottlingException": (Result.DEFERRED, "rate"),
    "Throttling": (Result.DEFERRED, "rate"),
    "LimitExceededException": (Result.FAILED, "quota"),
    "AccountSuspendedException": (Result.FAILED, "credentials"),
    "SendingPausedException": (Result.FAILED, "credentials"),
    "UnrecognizedClientException": (Result.FAILED, "credentials"),
    "InvalidClientTokenId": (Result.FAILED, "credentials"),
    "SignatureDoesNotMatch": (Result.FAILED, "credentials"),
    "InvalidSignatureException": (Result.FAILED, "credentials"),
    "AccessDeniedException": (Result.FAILED, "credentials"),
    "ExpiredTokenException": (Result.FAILED, "credentials"),
    "MailFromDomainNotVerifiedException": (Result.FAILED, "settings"),
    "NotFoundException": (Result.FAILED, "settings"),
    "MessageRejected": (Result.FAILED, "content"),
    "ServiceUnavailable": (Result.DEFERRED, ""),
}
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BulkEmailEntryResult.html
ENTRY: dict[str, tuple[Result, str]] = {
    "SUCCESS": (Result.ACCEPTED, ""),
    "ACCOUNT_THROTTLED": (Result.DEFERRED, "rate"),
    "TRANSIENT_FAILURE": (Result.DEFERRED, ""),
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": (Result.FAILED, "quota"),
    "ACCOUNT_SUSPENDED": (Result.FAILED, "credentials"),
    "ACCOUNT_SENDING_PAUSED": (Result.FAILED, "credentials"),
    "CONFIGURATION_SET_SENDING_PAUSED": (Result.FAILED, "settings"),
    "CONFIGURATION_SET_NOT_FOUND": (Result.FAILED, "settings"),
    "CONFIGURATION_SET_DOES_NOT_EXIST": (Result.FAILED, "settings"),
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": (Result.FAILED, "settings"),
    "INVALID_SENDING_POOL_NAME": (Result.FAILED, "settings"),
    "TEMPLATE_NOT_FOUND": (Result.FAILED, "settings"),
    "TEMPLATE_DOES_NOT_EXIST": (Result.FAILED, "settings"),
}
# SES takes a message or says so at once; a second for a throttled account is what its own clients wait first.
THROTTLE_WAIT = 1
SES_ID = "-"
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}")
# SNS waits 15 s for our answer.
CERTIFICATE_TIMEOUT = httpx2.Timeout(5.0)


class AmazonSes(Merging):
    """Bulk calls with the template in the request; one destination per entry, since SES names no opener."""

    key = "amazon_ses"
    label = "Amazon SES"
    docs_url = "https://docs.aws.amazon.com/ses/"
    spf_include = "amazonses.com"
    backend = "anymail.backends.amazon_ses.EmailBackend"
    view = "anymail.webhooks.amazon_ses.AmazonSESTrackingWebhookView"
    # SES does not escape values: https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html
    syntax = Syntax("{{", "}}", ("{{", "}}"))
    values_most_bytes = 250_000  # ReplacementTemplateData: 262,144
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=50,
        batch_bytes=8_000_000,
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "SNS signature, checked with Amazon's certificate",
            "The ARN of the SNS topic that receives the events",
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
            ),
            setup=(
                "In SNS make a standard topic and store its ARN below. Add an HTTPS subscription with this address, "
                "raw message delivery off; Fanfare confirms it by itself. In SES let the configuration set publish to "
                "that topic: deliveries, delivery delays, bounces, complaints, rejects, rendering failures, "
                "subscriptions."
            ),
            refused_status=503,  # SNS drops a message after a 4xx: sns-message-delivery-retries.html
        ),
        quotas=(Quota(14, 1, "messages", "account (as granted)"),),
        notes=("The rate is granted per account and counts recipients, not calls; no Retry-After is given.",),
    )
    fields = (
        FormField("access_key_id", "Access key ID"),
        FormField("secret_access_key", "Secret access key", secret=True),
        FormField("region", "Region", default="us-east-1", help="Such as eu-central-1."),
        FormField(
            "configuration_set",
            "Configuration set",
            required=False,
            help="The one that publishes events to your SNS topic.",
        ),
    )

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch or _Certificates().get

    def backend_options(self, account: Account) -> dict[str, Any]:
        """No retries: botocore would repeat an unanswered call up to four times."""
        return {
            "session_params": _session(account),
            "client_params": _client(account),
            "configuration_set_name": account.settings.get("configuration_set") or None,
            "message_tag_name": None,
        }

    def opened(self, backend: Any) -> None:
        """Note when a request goes to the wire; botocore's own errors then tell connecting from answering."""
        backend.client.meta.events.register("before-send.*", _note_sending)

    def dress(self, draft: Draft) -> None:
        """A merged message carries its template in the request (TemplateContent, simple substitutions)."""
        message = draft.message
        if len(draft.envelopes) == 1:
            return
        content = {"Subject": message.subject, "Text": message.body}
        html = [body for body, kind in message.alternatives if kind == "text/html"]
        if html:
            content["Html"] = html[0]
        message.template_id = SES_ID
        message.esp_extra = {
            "DefaultContent": {"Template": {"TemplateContent": content, "TemplateData": "{}"}},
        }
        message.subject, message.body, message.alternatives = "", "", []

    def read_many(self, success: Success) -> list[Outcome]:
        """One entry per destination, in order."""
        entries = one_each(success.response["BulkEmailEntryResults"], len(success.addresses))
        return [self._read_entry(entry) for entry in entries]

    def _read_entry(self, entry: Mapping[str, Any]) -> Outcome:
        """Status is one of a documented list; Error has words."""
        words = clip(f"{entry['Status']} {entry.get('Error', '')}")
        if entry["Status"] in ("MESSAGE_REJECTED", "INVALID_PARAMETER", "FAILED"):
            result, reason = about_request(words)
        else:
            result, reason = ENTRY.get(entry["Status"], (Result.UNCERTAIN, ""))
        wait = THROTTLE_WAIT if result is Result.DEFERRED else None
        text_ = "" if result is Result.ACCEPTED else words
        return Outcome(
            result, code=200, text=text_, provider_id=entry.get("MessageId") or "", retry_after=wait, reason=reason
        )

    def judge_error(self, error: Any) -> Outcome | None:
        """boto3's errors: a coded answer, a bulk answer with the same failure for all, or how far the call got."""
        response = error.response
        if isinstance(response, Mapping) and "BulkEmailEntryResults" in response:
            return self._read_entry(response["BulkEmailEntryResults"][0])
        if isinstance(response, Mapping) and "Error" in response:
            return _by_code(response)
        return _without_answer(error)

    def test(self, account: Account) -> ProbeReport:
        """GetAccount: whether the account is out of the sandbox, and its quota."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            parameters = _client(account)
            parameters["config"] = Config(**parameters["config"])
            client = boto3.session.Session(**_session(account)).client("sesv2", **parameters)
            found = client.get_account()
            client.close()
        except (BotoCoreError, ClientError, ValueError) as error:
            return ProbeReport(False, str(error))
        quota = found.get("SendQuota", {})
        words = (
            f"Production access: {'yes' if found.get('ProductionAccessEnabled') else 'no, still in the sandbox'}; "
            f"{quota.get('Max24HourSend', 0):.0f} messages a day, {quota.get('MaxSendRate', 0):.0f} a second; "
            f"sending {'enabled' if found.get('SendingEnabled') else 'paused'}."
        )
        return ProbeReport(bool(found.get("SendingEnabled")), words, 200)

    def secret_problem(self, secret: str, /) -> str:
        """Topics have names such as arn:aws:sns:eu-central-1:123456789012:ses-events."""
        return "" if TOPIC.fullmatch(secret) else "This is no ARN of an SNS topic: arn:aws:sns:REGION:ACCOUNT:NAME."

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> bool:
        """See Dialect."""
        return verify(request, secrets, self._fetch)

    def follow_up(self, request: WebhookRequest, /) -> str:
        """A new SNS subscription starts when its SubscribeURL was fetched."""
        return confirmation_url(request)

    def split(self, request: WebhookRequest) -> list[dict[str, Any]]:
        """A notification holds one SES event as JSON text; a subscription handshake holds none."""
        found = message(request)
        inner = text(found.get("Message"))
        if found["Type"] != "Notification" or inner.startswith("Successfully validated SNS topic"):
            return []
        return [json_object(inner.encode())]

    def translate(self, view: Any, part: Part) -> list[Any]:
        """The id of the notification is told apart by recipient: one notification may be about several."""
        if "eventType" not in part.raw and "notificationType" not in part.raw:
            raise UnreadableReceiptError("no SES event")
        found = view.esp_to_anymail_events(part.raw, message(part.request))
        for event in found:
            event.event_id = f"{event.event_id}:{event.recipient}"
        return list(found)

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""
        kind = text(raw.get("eventType")) or text(raw.get("notificationType"))
        inner = raw.get(kind[:1].lower() + kind[1:])
        reading.occurred_at = iso_time(member(inner, "timestamp")) or reading.occurred_at
        reading.ip = text(member(inner, "ipAddress"))
        if kind == "Bounce":
            reading.bounce_class = _bounce_class(
                text(member(inner, "bounceType")), text(member(inner, "bounceSubType"))
            )
        elif kind == "DeliveryDelay":
            reading.kind, reading.bounce_class = EventKind.DEFERRED, "soft"
            delayed = member(inner, "delayedRecipients")
            reading.reply = text(member(delayed[0], "diagnosticCode")) if delayed else ""
        elif kind == "Subscription":
            reading.kind = EventKind.UNSUBSCRIBED
        return reading


def _bounce_class(kind: str, detail: str) -> str:
    """Permanent is hard; of the transient ones a refused content is a block."""
    if kind == "Permanent":
        return "hard"
    return "block" if detail in ("ContentRejected", "AttachmentRejected") else "soft"


def _session(account: Account) -> dict[str, Any]:
    """Parameters of boto3.session.Session; ValueError for what is no region."""
    if not REGION.fullmatch(account.settings["region"]):
        raise ValueError(f"{account.settings['region']!r} is not an AWS region such as eu-central-1.")
    return {
        "aws_access_key_id": account.settings["access_key_id"],
        "aws_secret_access_key": account.credentials["secret_access_key"],
        "region_name": account.settings["region"],
    }


def _client(account: Account) -> dict[str, Any]:
    """Parameters of the client: timeouts, no retries, an address of its own in tests."""
    read = float(account.settings.get("timeout") or READ_SECONDS)
    config = {
        "connect_timeout": min(CONNECT_SECONDS, read),
        "read_timeout": read,
        "retries": {"total_max_attempts": 1},
    }
    endpoint = {"endpoint_url": account.settings["api_url"]} if account.settings.get("api_url") else {}
    return {"config": config, **endpoint}


def _note_sending(**_: object) -> None:
    TRAIL.wrote = True


def _by_code(response: Mapping[str, Any]) -> Outcome:
    """A coded error, by its code, else by its HTTP status."""
    code, words = str(response["Error"].get("Code", "")), str(response["Error"].get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status == 503:
        default = (Result.DEFERRED, "")
    else:
        default = (Result.UNCERTAIN, "") if status >= 500 else about_request(words)
    result, reason = ERRORS.get(code, default)
    wait = THROTTLE_WAIT if result is Result.DEFERRED else None
    return Outcome(result, code=status, text=clip(f"{code}: {words}"), retry_after=wait, reason=reason)


def _without_answer(error: Any) -> Outcome:
    """botocore raises one class for a connection that never stood, others for one that broke."""
    from botocore import exceptions as botocore

    cause = error.__cause__
    connecting: tuple[type[Exception], ...] = (
        botocore.EndpointConnectionError,
        botocore.ConnectTimeoutError,
        botocore.ProxyConnectionError,
        botocore.SSLError,
    )
    if isinstance(cause, connecting):
        return unsent(str(cause))
    if isinstance(cause, botocore.NoCredentialsError | botocore.PartialCredentialsError):
        return Outcome(Result.FAILED, text=clip(str(cause)), reason="credentials")
    if isinstance(cause, botocore.ParamValidationError):
        return Outcome(Result.FAILED, text=clip(str(cause)), reason="content")
    return unanswered(str(cause or error))


class _Certificates:
    """Amazon's signing certificates, fetched once each; at most 16 are kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, url: str) -> bytes:
        """The certificate at an address; OSError when it cannot be had."""
        if url not in self._kept:
            if len(self._kept) >= 16:
                self._kept.clear()
            self._kept[url] = self._fetch(url)
        return self._kept[url]

    def _fetch(self, url: str) -> bytes:
        http = Http(timeout=CERTIFICATE_TIMEOUT)
        try:
            answer = http.call(Call("GET", url))
        except (UnsentError, UnansweredError) as error:
            raise OSError(str(error)) from error
        finally:
            http.close()
        if answer.status != 200:
            raise OSError(f"{url} answered {answer.status}")
        return answer.body
