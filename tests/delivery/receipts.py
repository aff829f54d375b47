"""Sent messages and stored receipts for tests of what comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import Batch, Event, ProviderAccount, Receipt
from delivery.outcomes import Result
from delivery.sending.ledger import tally
from delivery.services import hooks
from delivery.services.receiving import process_receipts
from delivery.tracking.tokens import TokenMaker
from tests.delivery.factories import make_sending

INSERT = """
INSERT INTO delivery_outcome (campaign_id, batch_id, position, contact_id, result, account_id, code, enhanced, reply,
    provider_id, at)
SELECT campaign_id, batch_id, position, contact_id, %s, %s, 200, '', '', %s || contact_id, clock_timestamp()
FROM delivery_message WHERE campaign_id = %s
"""


def hook_account(kind: str = "mailersend", name: str = "Provider", **fields: Any) -> ProviderAccount:
    defaults = {"secrets": {"api_token": "t", "api_key": "k", "server_token": "s"}}
    return ProviderAccount.objects.create(name=name, kind=kind, **(defaults | fields))


def sent_campaign(account: ProviderAccount, n: int = 1, *, result: Result = Result.ACCEPTED) -> Campaign:
    """A campaign to `n` readers, handed to an account that called the messages "id-CONTACT"."""
    campaign = make_sending(n)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [result.value, account.pk, "id-", campaign.pk])
        for batch_id in Batch.objects.filter(campaign_id=campaign.pk).values_list("pk", flat=True):
            tally(cursor, campaign.pk, batch_id)
    return campaign


def mid_of(campaign: Campaign, contact: Contact) -> str:
    return TokenMaker(settings.SECRET_KEY).make(campaign.pk, contact.pk)


def receive(account: ProviderAccount, body: object) -> Receipt:
    """A call as if it had come and been proved, and been read since."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    hooks.store_call(account, {"Content-Type": "application/json"}, raw)
    process_receipts(now=datetime.now(UTC))
    return Receipt.objects.latest("pk")


def events(campaign: Campaign) -> list[tuple[str, str, str]]:
    """(kind, bounce kind or verdict, category or reason), in order of time and kind."""
    found = Event.objects.filter(campaign_id=campaign.pk).order_by("occurred_at", "kind")
    return [(e.kind, e.bounce_kind or e.verdict, e.category or e.verdict_reason) for e in found]
