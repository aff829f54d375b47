"""Resend: https://resend.com/docs/api-reference/emails/send-email, /send-batch-emails (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from delivery.outcomes import Outcome, Result
from delivery.providers.answers import about_request, clip, from_status, retry_after
from delivery.providers.contract import (
    Account,
    Capabilities,
    Content,
    EventKind,
    FormField,
    Idempotency,
    ProbeReport,
    Proof,
    Quota,
    Webhooks,
)
from delivery.providers.http import Answer, Call
from delivery.providers.receipts import Reading, iso_time, member, text
from delivery.providers.signatures import svix

from .dialect import Bundling, Part

QUOTA_NAMES = ("daily_quota_exceeded", "monthly_quota_exceeded")
CLASSES = {"Permanent": "hard", "Transient": "soft", "Undetermined": "soft"}


class Resend(Bundling):
    """Batches of whole messages, accepted one by one in permissive mode."""

    key = "resend"
    label = "Resend"
    docs_url = "https://resend.com/docs"
    spf_include = "amazonses.com"
    backend = "anymail.backends.resend.EmailBackend"
    view = "anymail.webhooks.resend.ResendTrackingWebhookView"
    api_url = "https://api.resend.com/"
    batch_endpoint = "emails/batch"
    # Permissive validation (2025-09) queues the valid messages and names the others by index.
    batch_headers: ClassVar[Mapping[str, str]] = {"x-batch-validation": "permissive"}
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        batch_max=100,
        batch_bytes=20_000_000,
        idempotency=Idempotency(lifetime=86_400, batches=True),
        webhooks=Webhooks(
            Proof.SIGNATURE,
            "Svix: HMAC-SHA256 over id, timestamp and body",
            "The webhook's signing secret, whsec_…",
            (
                EventKind.DELIVERED,
                EventKind.DEFERRED,
                EventKind.BOUNCED,
                EventKind.COMPLAINED,
                EventKind.OPENED,
                EventKind.CLICKED,
                EventKind.REJECTED,
                EventKind.FAILED,
            ),
            setup=(
                "Webhooks > Add webhook: this address and the events email.delivered, email.delivery_delayed, "
                "email.bounced, email.complained, email.failed, email.suppressed. Then copy its signing secret into "
                "the field below."
            ),
        ),
        quotas=(Quota(2, 1, "calls"),),
        notes=("Open and click tracking is switched per domain in Resend's console.",),
    )
    fields = (FormField("api_key", "API key", secret=True, help="re_…; sending access is enough."),)
    checks = (svix,)
    KINDS: ClassVar[dict[str, EventKind]] = {
        "email.failed": EventKind.FAILED,
        "email.suppressed": EventKind.REJECTED,
    }

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        return {"api_key": account.credentials["api_key"], "api_url": account.settings.get("api_url") or self.api_url}

    def tune(self, payload: Any, key: str) -> None:
        """https://resend.com/docs/dashboard/emails/idempotency-keys: a header, at most 256 characters, 24 hours."""
        payload.headers["Idempotency-Key"] = key

    def bundle(self, payloads: Sequence[Any]) -> object:
        """A plain list of messages."""
        return [payload.data for payload in payloads]

    def read_bundle(self, answer: Any, size: int) -> list[Outcome]:
        """Ids of the queued messages in order, and errors with the index of each message left out."""
        errors = {item["index"]: str(item["message"]) for item in member(answer, "errors") or ()}
        ids = iter(item["id"] for item in answer["data"])
        outcomes = []
        for position in range(size):
            if position in errors:
                result, reason = about_request(errors[position])
                outcomes.append(Outcome(result, code=422, text=clip(errors[position]), reason=reason))
            else:
                identity = next(ids, "")
                result = Result.ACCEPTED if identity else Result.UNCERTAIN
                outcomes.append(Outcome(result, code=200, provider_id=identity))
        return outcomes

    def judge(self, answer: Answer) -> Outcome:
        """429 is also Resend's word for a used-up day or month; 409 for one key used twice at once."""
        words = clip(answer.text)
        if answer.status == 429 and any(name in words for name in QUOTA_NAMES):
            return Outcome(Result.FAILED, code=429, text=words, reason="quota")
        if answer.status == 409 and "concurrent_idempotent_requests" in words:
            return Outcome(Result.UNCERTAIN, code=409, text=words, retry_after=retry_after(answer.headers))
        if answer.status == 403 and "validation_error" in words:
            return Outcome(Result.FAILED, code=403, text=words, reason="settings")
        return from_status(answer.status, answer.headers, answer.text)

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        return Call("GET", api_url + "domains", {"authorization": f"Bearer {account.credentials['api_key']}"})

    def probe_report(self, answer: Answer) -> ProbeReport:
        """A key with sending access only is told so with 401 restricted_api_key: it works for us."""
        works = answer.status == 200 or "restricted_api_key" in answer.text
        return ProbeReport(works, answer.text, answer.status)

    def secret_problem(self, secret: str, /) -> str:
        """Svix marks its secrets."""
        return "" if secret.startswith("whsec_") else "A signing secret of Resend begins with whsec_."

    def translate(self, view: Any, part: Part) -> list[Any]:
        """anymail takes the event id from the svix-id header, which is equal for all tries of one event."""
        return [view.esp_to_anymail_event(part.raw, _Headers({"svix-id": part.request.header("svix-id")}))]

    def refine(self, raw: Mapping[str, Any], reading: Reading) -> Reading:
        """https://resend.com/docs/dashboard/webhooks/event-types: bounce.type is the SES word."""
        data = raw.get("data")
        reading.kind = self.KINDS.get(text(raw.get("type")), reading.kind)
        reading.bounce_class = CLASSES.get(text(member(data, "bounce", "type")), "soft")
        reading.occurred_at = iso_time(raw.get("created_at"))
        for name in ("click", "open"):
            reading.ip = reading.ip or text(member(data, name, "ipAddress"))
            reading.user_agent = reading.user_agent or text(member(data, name, "userAgent"))
        return reading


class _Headers:
    """As much of a request as anymail's parser looks at."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
