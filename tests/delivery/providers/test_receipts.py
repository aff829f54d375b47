"""Each provider's documented events, read into ours: kind, hard or soft, machine or not, whose, when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.providers import PROVIDERS, EventKind, ProviderEvent, UnreadableReceiptError, WebhookRequest
from tests.delivery.providers.fuzz_receipts import check
from tests.delivery.providers.test_signatures import provider

K = EventKind
MID = "AAECAwQFBgcICQoLDA0ODw"
AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
EPOCH = 1767268800
ISO = "2026-01-01T12:00:00Z"
ALICE = "alice@example.com"
META = json.dumps({"mid": MID})


@dataclass(frozen=True)
class Case:
    """A body as the provider posts it, and what it means: (kind, bounce class, machine)."""

    kind: str
    body: object
    means: tuple[EventKind, str, bool]
    mid: str = MID
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)

    def request(self) -> WebhookRequest:
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return WebhookRequest("https://shop.example/hooks/abc/", raw, self.headers)


def ses(kind: str, inner: Mapping[str, Any]) -> dict[str, Any]:
    mail = {
        "messageId": "ses-1",
        "destination": [ALICE],
        "headers": [{"name": "X-Metadata", "value": META}],
    }
    event = {"eventType": kind, "mail": mail, kind[:1].lower() + kind[1:]: {"timestamp": ISO, **inner}}
    return {"Type": "Notification", "MessageId": "n-1", "Timestamp": ISO, "Message": json.dumps(event)}


def ses_bounce(kind: str, detail: str, words: str) -> dict[str, Any]:
    people = [{"emailAddress": ALICE, "diagnosticCode": words}]
    return ses("Bounce", {"bounceType": kind, "bounceSubType": detail, "bouncedRecipients": people})


def brevo(event: str, **more: object) -> dict[str, object]:
    return {
        "event": event,
        "email": ALICE,
        "message-id": "<1@relay>",
        "ts_epoch": EPOCH * 1000,
        "X-Mailin-custom": META,
        **more,
    }


def mailersend(kind: str, **morph: object) -> dict[str, object]:
    email = {"message": {"id": "ms-1"}, "recipient": {"email": ALICE}, "tags": []}
    data = {"id": "act-1", "type": kind, "created_at": ISO, "email": email, "morph": {"object": "x", **morph}}
    return {"type": f"activity.{kind}", "data": data}


def mailgun(event: str, **more: object) -> dict[str, object]:
    data = {
        "event": event,
        "id": "ev-1",
        "timestamp": EPOCH,
        "recipient": ALICE,
        "user-variables": {"mid": MID},
        "message": {"headers": {"message-id": "1@mg.example.com"}},
        **more,
    }
    return {"signature": {"token": "t", "timestamp": "1", "signature": "s"}, "event-data": data}


def mailjet(event: str, **more: object) -> list[dict[str, object]]:
    return [{"event": event, "time": EPOCH, "MessageID": 19421777835146490, "email": ALICE, "Payload": META, **more}]


def mailtrap(event: str, **more: object) -> dict[str, object]:
    one = {"event": event, "message_id": "mt-1", "email": ALICE, "timestamp": EPOCH, "event_id": "ev-1"}
    return {"events": [{**one, "custom_variables": {"mid": MID}, **more}]}


def mandrill(event: str, msg: Mapping[str, object] | None = None, **more: object) -> bytes:
    inner = {"email": ALICE, "metadata": {"mid": MID}, **(msg or {})}
    return urlencode(
        {"mandrill_events": json.dumps([{"event": event, "ts": EPOCH, "_id": "md-1", "msg": inner, **more}])}
    ).encode()


def postal(event: str, **payload: object) -> dict[str, object]:
    about = {"id": 7, "to": ALICE, "tag": MID, "direction": "outgoing"}
    key = "original_message" if event == "MessageBounced" else "message"
    return {"event": event, "timestamp": EPOCH, "uuid": "u-1", "payload": {key: about, **payload}}


def postmark(record: str, **more: object) -> dict[str, object]:
    return {"RecordType": record, "MessageID": "pm-1", "Metadata": {"mid": MID}, "Email": ALICE, **more}


def resend(event: str, **data: object) -> dict[str, object]:
    headers = [{"name": "X-Metadata", "value": META}]
    return {"type": event, "created_at": ISO, "data": {"email_id": "re-1", "to": [ALICE], "headers": headers, **data}}


def sendgrid(event: str, **more: object) -> list[dict[str, object]]:
    return [{"event": event, "email": ALICE, "timestamp": EPOCH, "sg_event_id": "sg-1", "mid": MID, **more}]


def sparkpost(event: str, **more: object) -> list[dict[str, object]]:
    one = {"type": event, "timestamp": str(EPOCH), "raw_rcpt_to": ALICE, "transmission_id": "sp-1", "event_id": "e-1"}
    return [{"msys": {"message_event": {**one, "rcpt_meta": {"mid": MID}, **more}}}]


def unisender(status: str, **info: object) -> dict[str, object]:
    data = {
        "job_id": "job-1",
        "email": ALICE,
        "status": status,
        "event_time": "2026-01-01 12:00:00",
        "metadata": {"mid": MID, "anymail_id": "a-1"},
        "delivery_info": info,
    }
    events = [
        {"event_name": "transactional_email_status", "event_data": data},
        {"event_name": "transactional_spam_block"},
    ]
    return {"auth": "x", "events_by_user": [{"user_id": 1, "events": events}]}


def tencent(event: str, **more: object) -> dict[str, object]:
    return {
        "event": event,
        "email": ALICE,
        "bulkId": "tc-1",
        "timestamp": EPOCH,
        "X-Tencentcloudses-Cb-Custom": MID,
        **more,
    }


def alibaba(event: str, **data: object) -> dict[str, object]:
    inner = {"env_id": "dm-1", "rcpt": ALICE, "header": {"X-User-Mid": MID}, **data}
    return {"id": "ce-1", "type": event, "time": ISO, "data": inner}


HUMAN = {"user_agent": "Mozilla/5.0 (X11)", "ip": "192.0.2.7"}
CLICK = {**HUMAN, "url": "https://shop.example/"}

CASES = [
    Case(
        "amazon_ses",
        ses("Delivery", {"recipients": [ALICE], "smtpResponse": "250 ok"}),
        (K.DELIVERED, "", False),
        more={"reply": "250 ok", "event_id": f"n-1:{ALICE}", "provider_id": "ses-1"},
    ),
    Case(
        "amazon_ses",
        ses_bounce("Permanent", "General", "550 5.1.1"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 5.1.1"},
    ),
    Case("amazon_ses", ses_bounce("Transient", "MailboxFull", "452"), (K.BOUNCED, "soft", False)),
    Case("amazon_ses", ses_bounce("Transient", "ContentRejected", "554"), (K.BOUNCED, "block", False)),
    Case(
        "amazon_ses",
        ses("DeliveryDelay", {"delayedRecipients": [{"emailAddress": ALICE, "diagnosticCode": "451"}]}),
        (K.DEFERRED, "soft", False),
        more={"reply": "451"},
    ),
    Case(
        "amazon_ses", ses("Complaint", {"complainedRecipients": [{"emailAddress": ALICE}]}), (K.COMPLAINED, "", False)
    ),
    Case(
        "amazon_ses",
        ses("Open", {"ipAddress": "192.0.2.7", "userAgent": "Mozilla/5.0 (X11)"}),
        (K.OPENED, "", False),
        more=HUMAN,
    ),
    Case(
        "amazon_ses",
        ses("Click", {"ipAddress": "192.0.2.7", "userAgent": "Mozilla/5.0 (X11)", "link": "https://shop.example/"}),
        (K.CLICKED, "", False),
        more=CLICK,
    ),
    Case("amazon_ses", ses("Subscription", {"contactList": "x"}), (K.UNSUBSCRIBED, "", False)),
    Case("brevo", brevo("delivered"), (K.DELIVERED, "", False)),
    Case(
        "brevo", brevo("hard_bounce", reason="550 unknown"), (K.BOUNCED, "hard", False), more={"reply": "550 unknown"}
    ),
    Case("brevo", brevo("soft_bounce"), (K.BOUNCED, "soft", False)),
    Case("brevo", brevo("invalid_email"), (K.BOUNCED, "hard", False)),
    Case("brevo", brevo("deferred"), (K.DEFERRED, "soft", False)),
    Case("brevo", brevo("blocked"), (K.REJECTED, "block", False)),
    Case("brevo", brevo("spam"), (K.COMPLAINED, "", False)),
    Case("brevo", brevo("unsubscribed"), (K.UNSUBSCRIBED, "", False)),
    Case("brevo", brevo("unsubscribe"), (K.UNSUBSCRIBED, "", False)),
    Case("brevo", brevo("unique_opened", **HUMAN), (K.OPENED, "", False), more=HUMAN),
    Case("brevo", brevo("proxy_open"), (K.OPENED, "", True)),
    Case("brevo", brevo("unique_proxy_open"), (K.OPENED, "", True)),
    Case(
        "brevo",
        [brevo("click", link="https://shop.example/")],
        (K.CLICKED, "", False),
        more={"url": "https://shop.example/"},
    ),
    Case("mailersend", mailersend("delivered"), (K.DELIVERED, "", False), mid="", more={"provider_id": "ms-1"}),
    Case(
        "mailersend",
        mailersend("hard_bounced", readable_reason="no such user"),
        (K.BOUNCED, "hard", False),
        mid="",
        more={"reply": "no such user"},
    ),
    Case("mailersend", mailersend("soft_bounced"), (K.BOUNCED, "soft", False), mid=""),
    Case("mailersend", mailersend("spam_complaint"), (K.COMPLAINED, "", False), mid=""),
    Case(
        "mailersend",
        mailersend("clicked", url="https://shop.example/", ip="192.0.2.7"),
        (K.CLICKED, "", False),
        mid="",
        more={"url": "https://shop.example/", "ip": "192.0.2.7"},
    ),
    Case("mailgun", mailgun("delivered"), (K.DELIVERED, "", False), more={"event_id": f"ev-1:{EPOCH}"}),
    Case(
        "mailgun",
        mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": {"message": "550 5.1.1"}}),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 5.1.1"},
    ),
    Case("mailgun", mailgun("failed", severity="temporary", reason="generic"), (K.DEFERRED, "soft", False)),
    Case("mailgun", mailgun("failed", severity="permanent", reason="espblock"), (K.BOUNCED, "block", False)),
    Case("mailgun", mailgun("failed", severity="permanent", reason="old"), (K.BOUNCED, "soft", False)),
    Case("mailgun", mailgun("failed", severity="permanent", reason="suppress-bounce"), (K.REJECTED, "hard", False)),
    Case("mailgun", mailgun("failed", severity="permanent", reason="suppress-unsubscribe"), (K.REJECTED, "", False)),
    Case("mailgun", mailgun("complained"), (K.COMPLAINED, "", False)),
    Case(
        "mailgun",
        mailgun("opened", ip="192.0.2.7", **{"client-info": {"user-agent": "Mozilla/5.0 (X11)"}}),
        (K.OPENED, "", False),
        more=HUMAN,
    ),
    Case("mailgun", mailgun("opened", **{"client-info": {"user-agent": "x", "bot": "apple"}}), (K.OPENED, "", True)),
    Case(
        "mailgun",
        mailgun("clicked", url="https://shop.example/"),
        (K.CLICKED, "", False),
        more={"url": "https://shop.example/"},
    ),
    Case("mailjet", mailjet("sent", smtp_reply="250 ok"), (K.DELIVERED, "", False), more={"reply": "250 ok"}),
    Case(
        "mailjet",
        mailjet("bounce", hard_bounce=True, error="user unknown", error_related_to="recipient"),
        (K.BOUNCED, "hard", False),
        more={"reply": "user unknown"},
    ),
    Case(
        "mailjet",
        mailjet("bounce", hard_bounce=False, error="quota exceeded", error_related_to="recipient"),
        (K.BOUNCED, "soft", False),
    ),
    Case(
        "mailjet",
        mailjet("bounce", hard_bounce=True, error="content blocked", error_related_to="content"),
        (K.BOUNCED, "block", False),
    ),
    Case("mailjet", mailjet("blocked", error="preblocked"), (K.REJECTED, "", False)),
    Case("mailjet", mailjet("spam"), (K.COMPLAINED, "", False)),
    Case("mailjet", mailjet("open", agent="Mozilla/5.0 (X11)", ip="192.0.2.7")[0], (K.OPENED, "", False), more=HUMAN),
    Case("mailtrap", mailtrap("delivery"), (K.DELIVERED, "", False), more={"event_id": "ev-1"}),
    Case(
        "mailtrap",
        mailtrap("bounce", response="550 5.1.1", bounce_category="badmailbox"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 5.1.1"},
    ),
    Case("mailtrap", mailtrap("soft bounce"), (K.BOUNCED, "soft", False)),
    Case("mailtrap", mailtrap("bounce", bounce_category="spam"), (K.BOUNCED, "block", False)),
    Case("mailtrap", mailtrap("spam"), (K.COMPLAINED, "", False)),
    Case("mailtrap", mailtrap("reject", reason="suppressed"), (K.REJECTED, "", False), more={"reply": "suppressed"}),
    Case("mailtrap", mailtrap("open", **HUMAN), (K.OPENED, "", False), more=HUMAN),
    Case("mandrill", mandrill("delivered"), (K.DELIVERED, "", False)),
    Case(
        "mandrill",
        mandrill("hard_bounce", {"diag": "550 no", "bounce_description": "bad_mailbox"}),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 no"},
    ),
    Case("mandrill", mandrill("soft_bounce", {"bounce_description": "mailbox_full"}), (K.BOUNCED, "soft", False)),
    Case("mandrill", mandrill("soft_bounce", {"bounce_description": "spam"}), (K.BOUNCED, "block", False)),
    Case("mandrill", mandrill("deferral"), (K.DEFERRED, "soft", False)),
    Case("mandrill", mandrill("spam"), (K.COMPLAINED, "", False)),
    Case(
        "mandrill",
        mandrill("click", url="https://shop.example/", user_agent="Mozilla/5.0 (X11)", ip="192.0.2.7"),
        (K.CLICKED, "", False),
        more=CLICK,
    ),
    Case(
        "postal",
        postal("MessageSent", status="Sent", output="250 ok"),
        (K.DELIVERED, "", False),
        more={"reply": "250 ok", "event_id": "u-1"},
    ),
    Case("postal", postal("MessageDelayed", status="SoftFail"), (K.DEFERRED, "soft", False)),
    Case(
        "postal",
        postal("MessageDeliveryFailed", status="HardFail", output="550 5.1.1"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 5.1.1"},
    ),
    Case("postal", postal("MessageBounced", bounce={"id": 8}), (K.BOUNCED, "", False)),
    Case(
        "postal",
        postal("MessageLoaded", ip_address="192.0.2.7", user_agent="Mozilla/5.0 (X11)"),
        (K.OPENED, "", False),
        more=HUMAN,
    ),
    Case(
        "postal",
        postal(
            "MessageLinkClicked", url="https://shop.example/", ip_address="192.0.2.7", user_agent="Mozilla/5.0 (X11)"
        ),
        (K.CLICKED, "", False),
        more=CLICK,
    ),
    Case(
        "postmark",
        postmark("Delivery", Recipient=ALICE, DeliveredAt=ISO, Details="250 ok"),
        (K.DELIVERED, "", False),
        more={"reply": "250 ok"},
    ),
    Case(
        "postmark",
        postmark("Bounce", Type="HardBounce", BouncedAt=ISO, ID=42, Details="550"),
        (K.BOUNCED, "hard", False),
        more={"event_id": "42"},
    ),
    Case("postmark", postmark("Bounce", Type="SoftBounce", BouncedAt=ISO), (K.BOUNCED, "soft", False)),
    Case("postmark", postmark("Bounce", Type="Transient", BouncedAt=ISO), (K.DEFERRED, "soft", False)),
    Case("postmark", postmark("Bounce", Type="Blocked", BouncedAt=ISO), (K.BOUNCED, "block", False)),
    Case("postmark", postmark("Bounce", Type="SpamNotification", BouncedAt=ISO), (K.BOUNCED, "block", False)),
    Case("postmark", postmark("Bounce", Type="AutoResponder", BouncedAt=ISO), (K.AUTO_REPLIED, "", False)),
    Case("postmark", postmark("SpamComplaint", Type="SpamComplaint", BouncedAt=ISO), (K.COMPLAINED, "", False)),
    Case(
        "postmark",
        postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", ChangedAt=ISO),
        (K.UNSUBSCRIBED, "", False),
    ),
    Case(
        "postmark",
        postmark("Open", ReceivedAt=ISO, UserAgent="Mozilla/5.0 (X11)", Geo={"IP": "192.0.2.7"}),
        (K.OPENED, "", False),
        more=HUMAN,
    ),
    Case(
        "resend",
        resend("email.delivered"),
        (K.DELIVERED, "", False),
        headers={"svix-id": "msg_1"},
        more={"event_id": "msg_1"},
    ),
    Case(
        "resend",
        resend("email.bounced", bounce={"type": "Permanent", "message": "550 no"}),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 no"},
    ),
    Case(
        "resend", resend("email.bounced", bounce={"type": "Transient", "message": "full"}), (K.BOUNCED, "soft", False)
    ),
    Case("resend", resend("email.delivery_delayed"), (K.DEFERRED, "soft", False)),
    Case("resend", resend("email.complained"), (K.COMPLAINED, "", False)),
    Case("resend", resend("email.failed"), (K.FAILED, "", False)),
    Case(
        "resend",
        resend(
            "email.clicked",
            click={"link": "https://shop.example/", "ipAddress": "192.0.2.7", "userAgent": "Mozilla/5.0 (X11)"},
        ),
        (K.CLICKED, "", False),
        more=CLICK,
    ),
    Case(
        "sendgrid",
        sendgrid("delivered", response="250 ok", ip="198.51.100.1"),
        (K.DELIVERED, "", False),
        more={"reply": "250 ok", "ip": "", "event_id": "sg-1"},
    ),
    Case(
        "sendgrid",
        sendgrid("bounce", type="bounce", status="5.1.1", reason="550 no"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 no"},
    ),
    Case("sendgrid", sendgrid("bounce", type="blocked", status="5.7.1"), (K.BOUNCED, "block", False)),
    Case("sendgrid", sendgrid("bounce", type="bounce", status="4.2.2"), (K.BOUNCED, "soft", False)),
    Case(
        "sendgrid",
        sendgrid("bounce", type="bounce", status="5.7.1", bounce_classification="Reputation"),
        (K.BOUNCED, "block", False),
    ),
    Case("sendgrid", sendgrid("deferred", response="421"), (K.DEFERRED, "soft", False)),
    Case(
        "sendgrid",
        sendgrid("dropped", reason="Bounced Address"),
        (K.REJECTED, "", False),
        more={"reply": "Bounced Address"},
    ),
    Case("sendgrid", sendgrid("spamreport"), (K.COMPLAINED, "", False)),
    Case(
        "sendgrid", sendgrid("open", useragent="Mozilla/5.0 (X11)", ip="192.0.2.7"), (K.OPENED, "", False), more=HUMAN
    ),
    Case("sendgrid", sendgrid("open", sg_machine_open=True), (K.OPENED, "", True)),
    Case("sparkpost", sparkpost("delivery"), (K.DELIVERED, "", False)),
    Case(
        "sparkpost",
        sparkpost("bounce", bounce_class="10", raw_reason="550 no"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550 no"},
    ),
    Case("sparkpost", sparkpost("bounce", bounce_class="22"), (K.BOUNCED, "soft", False)),
    Case("sparkpost", sparkpost("bounce", bounce_class="51"), (K.BOUNCED, "block", False)),
    Case("sparkpost", sparkpost("out_of_band", bounce_class="60"), (K.AUTO_REPLIED, "", False)),
    Case("sparkpost", sparkpost("delay", bounce_class="1"), (K.DEFERRED, "soft", False)),
    Case("sparkpost", sparkpost("spam_complaint"), (K.COMPLAINED, "", False)),
    Case(
        "sparkpost",
        sparkpost("open", user_agent="Mozilla/5.0 (X11)", ip_address="192.0.2.7"),
        (K.OPENED, "", False),
        more=HUMAN,
    ),
    Case("sparkpost", sparkpost("initial_open", user_agent_parsed={"is_prefetched": True}), (K.OPENED, "", True)),
    Case("unisender_go", unisender("delivered"), (K.DELIVERED, "", False), more={"provider_id": "a-1"}),
    Case(
        "unisender_go",
        unisender("hard_bounced", delivery_status="err_user_unknown", destination_response="550"),
        (K.BOUNCED, "hard", False),
        more={"reply": "550"},
    ),
    Case("unisender_go", unisender("soft_bounced", delivery_status="err_mailbox_full"), (K.DEFERRED, "soft", False)),
    Case("unisender_go", unisender("hard_bounced", delivery_status="err_spam_rejected"), (K.BOUNCED, "block", False)),
    Case("unisender_go", unisender("spam"), (K.COMPLAINED, "", False)),
    Case("unisender_go", unisender("opened", **HUMAN), (K.OPENED, "", False), more=HUMAN),
    Case("tencent", tencent("delivered"), (K.DELIVERED, "", False), more={"provider_id": "tc-1"}),
    Case(
        "tencent",
        tencent("bounce", bounceType="hard_bounce", reason="551 5.1.1"),
        (K.BOUNCED, "hard", False),
        more={"reply": "551 5.1.1"},
    ),
    Case("tencent", tencent("bounce", bounceType="soft"), (K.BOUNCED, "soft", False)),
    Case("tencent", tencent("dropped"), (K.REJECTED, "", False)),
    Case(
        "tencent",
        tencent("click", link="https://shop.example/", useragent="Mozilla/5.0 (X11)"),
        (K.CLICKED, "", False),
        more={"url": "https://shop.example/"},
    ),
    Case("tencent", tencent("processed"), (K.UNKNOWN, "", False)),
    Case(
        "alibaba",
        alibaba("dm:Deliver:Succeed"),
        (K.DELIVERED, "", False),
        more={"provider_id": "dm-1", "event_id": "ce-1"},
    ),
    Case(
        "alibaba",
        alibaba("dm:Deliver:Fail", failed_type="SmtpNxBox", err_msg="554 no"),
        (K.BOUNCED, "hard", False),
        more={"reply": "554 no"},
    ),
    Case("alibaba", alibaba("dm:Deliver:Fail", failed_type="SmtpSpamBlock"), (K.BOUNCED, "block", False)),
    Case("alibaba", alibaba("dm:Feedback:FblReport"), (K.COMPLAINED, "", False)),
]
IDS = [f"{case.kind}-{case.means[0]}-{n}" for n, case in enumerate(CASES)]


def read(case: Case) -> ProviderEvent:
    events = provider(case.kind).parse_events(case.request())
    assert len(events) == 1
    return events[0]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_event_is_read(case: Case) -> None:
    event = read(case)
    assert (event.kind, event.bounce_class, event.machine) == case.means
    assert event.mid == case.mid
    assert event.recipient == ALICE
    assert event.occurred_at == AT
    assert {name: getattr(event, name) for name in case.more} == dict(case.more)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_replayed_event_has_the_same_id(case: Case) -> None:
    assert read(case).event_id == read(case).event_id != ""


def test_events_that_differ_have_different_ids() -> None:
    one = read(Case("brevo", brevo("click", link="https://shop.example/a"), (K.CLICKED, "", False)))
    other = read(Case("brevo", brevo("click", link="https://shop.example/b"), (K.CLICKED, "", False)))
    again = read(Case("brevo", brevo("click", link="https://shop.example/a", ts_epoch=1), (K.CLICKED, "", False)))
    assert len({one.event_id, other.event_id, again.event_id}) == 3


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_every_event_that_a_provider_declares_has_a_sample_of_it(kind: str) -> None:
    hooks = PROVIDERS[kind].capabilities.webhooks
    assert hooks is not None
    assert {case.means[0] for case in CASES if case.kind == kind} - {K.UNKNOWN} <= set(hooks.events)


def test_one_strange_event_does_not_hide_the_others() -> None:
    body = [{"event": "bounce", "timestamp": {"no": "time"}, "email": 5}, *sendgrid("delivered"), {"nothing": 1}]
    request = Case("sendgrid", body, (K.UNKNOWN, "", False)).request()
    events = provider("sendgrid").parse_events(request)
    assert [event.kind for event in events] == [K.UNKNOWN, K.DELIVERED, K.UNKNOWN]
    assert events[2].raw == {"nothing": 1}


@pytest.mark.parametrize("strange", ["\ud800", "a\x00b", {"deep": [float("nan"), "\x00"]}])
def test_what_postgresql_cannot_store_is_taken_out(strange: object) -> None:
    body = json.dumps(sendgrid("bounce", reason=strange, more=strange)).encode()
    event = provider("sendgrid").parse_events(WebhookRequest("", body, {}))[0]
    json.dumps(event.raw, allow_nan=False, ensure_ascii=False).encode()
    assert "\x00" not in event.reply + str(event.raw)
    assert event.kind is K.BOUNCED


def test_a_time_without_a_zone_is_utc() -> None:
    body = {**postmark("Delivery", DeliveredAt="2026-01-01T12:00:00"), "RecordType": "New"}
    assert (
        read(Case("postmark", {**body, "BouncedAt": "2026-01-01T12:00:00"}, (K.UNKNOWN, "", False))).occurred_at == AT
    )


def test_a_bounce_of_an_unknown_sort_has_no_class() -> None:
    assert read(Case("tencent", tencent("bounce", bounceType="curious"), (K.BOUNCED, "", False))).bounce_class == ""


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_damaged_calls_break_nothing(first: int) -> None:
    for seed in range(first, first + 50):
        check(seed)


def test_an_event_about_incoming_mail_is_none_of_ours() -> None:
    body = postal("MessageDeliveryFailed", status="HardFail")
    body["payload"]["message"]["direction"] = "incoming"  # type: ignore[index]
    assert provider("postal").parse_events(Case("postal", body, (K.UNKNOWN, "", False)).request()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("sparkpost", [{"msys": {}}]),
        ("amazon_ses", {"Type": "SubscriptionConfirmation", "MessageId": "1", "Message": "You have chosen"}),
        ("amazon_ses", {"Type": "Notification", "Message": "Successfully validated SNS topic for Amazon SES"}),
        ("mandrill", b"mandrill_events=%5B%5D"),
        ("unisender_go", {"auth": "x", "event_name": "transactional_spam_block"}),
    ],
)
def test_a_ping_holds_no_event(kind: str, body: object) -> None:
    assert provider(kind).parse_events(Case(kind, body, (K.UNKNOWN, "", False)).request()) == []


KINDS = sorted({case.kind for case in CASES})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 50_000])
def test_a_body_that_is_not_the_providers_is_said_so(kind: str, body: bytes) -> None:
    with pytest.raises(UnreadableReceiptError):
        provider(kind).parse_events(WebhookRequest("", body, {}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mandrill"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_event_breaks_nothing(kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in CASES if case.kind == kind]))
    damaged = _damage(json.loads(json.dumps(case.body)), data)
    try:
        events = provider(kind).parse_events(Case(kind, damaged, case.means).request())
    except UnreadableReceiptError:
        return
    assert all(isinstance(event, ProviderEvent) and event.event_id for event in events)


def _damage(value: object, data: st.DataObject) -> object:
    """The value with one part of it replaced by any JSON."""
    if data.draw(st.integers(0, 3)) == 0 or not isinstance(value, dict | list) or not value:
        return data.draw(JSON)
    if isinstance(value, list):
        return [_damage(value[0], data), *value[1:]]
    name = data.draw(st.sampled_from(sorted(value)))
    return {**value, name: _damage(value[name], data)}
