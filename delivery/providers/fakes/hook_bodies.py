"""What each provider posts to a webhook when a message arrived, bounced or annoyed somebody, in its documented form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import urlencode

from .dialect import Sent


class What(Enum):
    """What happened to a message."""

    DELIVERED = "delivered"
    HARD = "hard"
    SOFT = "soft"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


# What the mailbox provider said, as it stands in the provider's event.
WORDS = {
    What.DELIVERED: "250 2.0.0 OK",
    What.HARD: "550 5.1.1 The email account that you tried to reach does not exist",
    What.SOFT: "452 4.2.2 The recipient's inbox is full",
    What.COMPLAINED: "",
    What.UNSUBSCRIBED: "",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event to be told: `provider_id` is the id that the fake gave the message."""

    what: What
    sent: Sent
    provider_id: str
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    number: int = 1

    @property
    def words(self) -> str:
        """The mailbox provider's words."""
        return WORDS[self.what]

    @property
    def epoch(self) -> int:
        """Seconds since 1970."""
        return int(self.at.timestamp())

    @property
    def iso(self) -> str:
        """ISO 8601 in UTC."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def mid(self) -> str:
        """Our id as metadata in JSON text."""
        return json.dumps({"mid": self.sent.mid})

    def named(self, *names: str) -> str:
        """The provider's word for what happened: one for each member of What, in order."""
        return dict(zip(What, names, strict=True))[self.what]


def amazon_ses(h: Happening) -> object:
    """The message of an SNS notification; its envelope is made where it is signed."""
    kind = h.named("Delivery", "Bounce", "Bounce", "Complaint", "Subscription")
    people = [{"emailAddress": h.sent.recipient, "diagnosticCode": h.words}]
    inner: dict[What, dict[str, object]] = {
        What.DELIVERED: {"recipients": [h.sent.recipient], "smtpResponse": h.words},
        What.HARD: {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": people},
        What.SOFT: {"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": people},
        What.COMPLAINED: {"complainedRecipients": [{"emailAddress": h.sent.recipient}]},
        What.UNSUBSCRIBED: {"contactList": "all"},
    }
    mail = {
        "messageId": h.provider_id,
        "destination": [h.sent.recipient],
        "headers": [{"name": "X-Metadata", "value": h.mid}],
    }
    return {"eventType": kind, "mail": mail, kind[:1].lower() + kind[1:]: {"timestamp": h.iso, **inner[h.what]}}


def brevo(h: Happening) -> object:
    """https://developers.brevo.com/docs/transactional-webhooks"""
    event = h.named("delivered", "hard_bounce", "soft_bounce", "spam", "unsubscribed")
    told = {"event": event, "email": h.sent.recipient, "message-id": h.provider_id, "ts_epoch": h.epoch * 1000}
    return {**told, "reason": h.words, "X-Mailin-custom": h.mid}


def mailersend(h: Happening) -> object:
    """https://developers.mailersend.com/api/v1/webhooks.html"""
    kind = h.named("delivered", "hard_bounced", "soft_bounced", "spam_complaint", "unsubscribed")
    email = {"message": {"id": h.provider_id}, "recipient": {"email": h.sent.recipient}, "tags": []}
    morph = {"object": "x", "readable_reason": h.words}
    data = {"id": f"act-{h.number}", "type": kind, "created_at": h.iso, "email": email, "morph": morph}
    return {"type": f"activity.{kind}", "data": data}


def mailgun(h: Happening) -> object:
    """https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure"""
    soft = h.what is What.SOFT
    return {
        "event-data": {
            "event": h.named("delivered", "failed", "failed", "complained", "unsubscribed"),
            "severity": "temporary" if soft else "permanent",
            "reason": "generic" if soft else "bounce",
            "id": f"ev-{h.number}",
            "timestamp": h.epoch,
            "recipient": h.sent.recipient,
            "user-variables": {"mid": h.sent.mid},
            "delivery-status": {"message": h.words},
            "message": {"headers": {"message-id": h.provider_id}},
        }
    }


def mailjet(h: Happening) -> object:
    """https://dev.mailjet.com/email/guides/webhooks/"""
    event = h.named("sent", "bounce", "bounce", "spam", "unsub")
    told: dict[str, object] = {"event": event, "time": h.epoch, "MessageID": 7, "email": h.sent.recipient}
    if event == "bounce":
        told |= {"hard_bounce": h.what is What.HARD, "error": h.words, "error_related_to": "recipient"}
    return [{**told, "Payload": h.mid}]


def mailtrap(h: Happening) -> object:
    """https://docs.mailtrap.io/email-api-smtp/advanced/webhooks"""
    event = h.named("delivery", "bounce", "soft bounce", "spam", "unsubscribe")
    told = {"event": event, "message_id": h.provider_id, "email": h.sent.recipient, "timestamp": h.epoch}
    more = {"event_id": f"ev-{h.number}", "response": h.words, "custom_variables": {"mid": h.sent.mid}}
    return {"events": [{**told, **more}]}


def mandrill(h: Happening) -> object:
    """https://mailchimp.com/developer/transactional/docs/webhooks/"""
    msg = {"email": h.sent.recipient, "metadata": {"mid": h.sent.mid}, "diag": h.words}
    event = h.named("delivered", "hard_bounce", "soft_bounce", "spam", "unsub")
    told = [{"event": event, "ts": h.epoch, "_id": h.provider_id, "msg": msg}]
    return urlencode({"mandrill_events": json.dumps(told)}).encode()


def postal(h: Happening) -> object:
    """https://docs.postalserver.io/developer/webhooks"""
    message = {"id": 7, "to": h.sent.recipient, "tag": h.sent.mid, "direction": "outgoing"}
    event = h.named("MessageSent", "MessageDeliveryFailed", "MessageDelayed", "MessageDelayed", "MessageDelayed")
    payload = {"message": message, "status": h.named("Sent", "HardFail", "SoftFail", "", ""), "output": h.words}
    return {"event": event, "timestamp": h.epoch, "uuid": f"u-{h.number}", "payload": payload}


def postmark(h: Happening) -> object:
    """https://postmarkapp.com/developer/webhooks/webhooks-overview"""
    record = h.named("Delivery", "Bounce", "Bounce", "SpamComplaint", "SubscriptionChange")
    told: dict[str, object] = {
        "RecordType": record, "MessageID": h.provider_id, "Metadata": {"mid": h.sent.mid}, "ID": h.number,
    }  # fmt: skip
    address = {"Delivery": "Recipient", "SubscriptionChange": "Recipient"}.get(record, "Email")
    moment = {"Delivery": "DeliveredAt", "SubscriptionChange": "ChangedAt"}.get(record, "BouncedAt")
    told |= {address: h.sent.recipient, moment: h.iso, "Description": h.words, "Details": h.words}
    if record == "Bounce":
        told["Type"] = "HardBounce" if h.what is What.HARD else "SoftBounce"
    return told | ({"SuppressSending": True} if record == "SubscriptionChange" else {})


def resend(h: Happening) -> object:
    """https://resend.com/docs/dashboard/webhooks/event-types"""
    event = h.named("delivered", "bounced", "bounced", "complained", "complained")
    data: dict[str, object] = {
        "email_id": h.provider_id,
        "to": [h.sent.recipient],
        "headers": [{"name": "X-Metadata", "value": h.mid}],
    }
    if event == "bounced":
        kind = "Permanent" if h.what is What.HARD else "Transient"
        data["bounce"] = {"type": kind, "subType": "General", "message": h.words}
    return {"type": f"email.{event}", "created_at": h.iso, "data": data}


def sendgrid(h: Happening) -> object:
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""
    event = h.named("delivered", "bounce", "bounce", "spamreport", "unsubscribe")
    told = {"event": event, "email": h.sent.recipient, "timestamp": h.epoch, "sg_event_id": f"sg-{h.number}"}
    more = {"type": "bounce", "status": h.words[4:9], "reason": h.words, "mid": h.sent.mid}
    return [{**told, **more}]


def sparkpost(h: Happening) -> object:
    """https://developers.sparkpost.com/api/webhooks/"""
    event = h.named("delivery", "bounce", "bounce", "spam_complaint", "list_unsubscribe")
    inner = {
        "type": event,
        "timestamp": str(h.epoch),
        "raw_rcpt_to": h.sent.recipient,
        "transmission_id": h.provider_id,
        "event_id": f"e-{h.number}",
        "rcpt_meta": {"mid": h.sent.mid},
        "bounce_class": "10" if h.what is What.HARD else "22",
        "reason": h.words,
        "raw_reason": h.words,
    }
    group = "unsubscribe_event" if h.what is What.UNSUBSCRIBED else "message_event"
    return [{"msys": {group: inner}}]


def unisender_go(h: Happening) -> object:
    """https://godocs.unisender.ru/web-api-ref#callback-format"""
    data = {
        "job_id": h.provider_id,
        "email": h.sent.recipient,
        "status": h.named("delivered", "hard_bounced", "soft_bounced", "spam", "unsubscribed"),
        "event_time": h.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "metadata": {"mid": h.sent.mid, "anymail_id": "a-1"},
        "delivery_info": {"destination_response": h.words},
    }
    event = {"event_name": "transactional_email_status", "event_data": data}
    return {"auth": "%auth%", "events_by_user": [{"user_id": 1, "events": [event]}]}


def tencent(h: Happening) -> object:
    """https://www.tencentcloud.com/document/product/1084/39492"""
    told: dict[str, object] = {
        "event": h.named("delivered", "bounce", "bounce", "spamreport", "unsubscribe"),
        "email": h.sent.recipient,
        "bulkId": h.provider_id,
        "timestamp": h.epoch,
        "reason": h.words,
        "X-Tencentcloudses-Cb-Custom": h.sent.mid,
    }
    return told | ({"bounceType": f"{h.what.value}_bounce"} if h.what in (What.HARD, What.SOFT) else {})


def alibaba(h: Happening) -> object:
    """https://www.alibabacloud.com/help/en/eventbridge/user-guide/events-of-the-direct-mail-type"""
    failed = "dm:Deliver:Fail"
    kind = h.named("dm:Deliver:Succeed", failed, failed, "dm:Feedback:FblReport", "dm:Feedback:UnSubscribe")
    data = {"env_id": h.provider_id, "rcpt": h.sent.recipient, "header": {"X-User-Mid": h.sent.mid}}
    more = {"failed_type": "SmtpNxBox" if h.what is What.HARD else "SmtpFull", "err_msg": h.words}
    return {"id": f"ce-{h.number}", "type": kind, "time": h.iso, "data": data | (more if kind == failed else {})}


def generic_http(h: Happening) -> object:
    """As the form of the fake's account says."""
    message = {"message": h.provider_id, "to": h.sent.recipient}
    return {"kind": h.what.value, "id": h.number, "at": h.epoch, "why": h.words, **message}


BODIES: Mapping[str, Callable[[Happening], object]] = {
    make.__name__: make
    for make in (
        alibaba, amazon_ses, brevo, generic_http, mailersend, mailgun, mailjet, mailtrap, mandrill, postal, postmark,
        resend, sendgrid, sparkpost, tencent, unisender_go,
    )
}  # fmt: skip
