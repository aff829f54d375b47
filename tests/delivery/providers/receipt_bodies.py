"""Bodies of webhook calls as each provider documents them, about one message to Alice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from delivery.providers import EventKind, WebhookRequest

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


def generic(kind: str, **more: object) -> dict[str, object]:
    """An event in the form that GENERIC_FORM describes."""
    return {"data": [{"what": kind, "id": "g-1", "mid": MID, "to": ALICE, "at": EPOCH, **more}]}


# The form of an account at a provider that nobody wrote code for.
GENERIC_FORM = {
    "event_fields": "list: data\nkind: what\nid: id\nmessage_token: mid\nrecipient: to\ntime: at\nreply: why\n"
    "url: link\nuser_agent: agent\nip: address",
    "event_kinds": "sent: delivered\nlater: deferred soft\nhard: bounced hard\nsoft: bounced soft\n"
    "block: bounced block\nspam: complained\nout: unsubscribed\nseen: opened\nclick: clicked\n"
    "no: rejected\nbroken: failed",
}


HUMAN = {"user_agent": "Mozilla/5.0 (X11)", "ip": "192.0.2.7"}
CLICK = {**HUMAN, "url": "https://shop.example/"}
