"""Which of our messages a receipt is about: by our own id, else by the provider's id and the recipient (ADR 25)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from contacts.addresses import Address, normalise_address
from delivery.tracking.tokens import MessageRef

# Providers report within days; a complaint may take weeks.
LOOK_BACK = timedelta(days=60)

SENT = """
SELECT m.campaign_id, m.contact_id, m.batch_id, m.position, o.result, o.account_id, o.at
FROM (SELECT DISTINCT unnest(%s::bigint[]) AS campaign_id, unnest(%s::bigint[]) AS contact_id) r
JOIN delivery_message m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
"""

# Without an index on provider_id: the recipient gives the contact, and its messages of the last weeks' campaigns are
# a primary-key probe each.
BY_PROVIDER_ID = """
SELECT DISTINCT w.number, m.campaign_id, m.contact_id
FROM unnest(%(numbers)s::int[], %(keys)s::uuid[], %(ids)s::text[]) AS w (number, address_key, provider_id)
JOIN contacts_contact c ON c.address_key = w.address_key
JOIN campaigns_campaign k ON k.launched_at BETWEEN %(since)s AND %(until)s
JOIN delivery_message m ON m.campaign_id = k.id AND m.contact_id = c.id
JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
WHERE o.account_id = %(account)s AND o.provider_id = w.provider_id
"""


class SentMessage(NamedTuple):
    """A message of ours as the ledger has it; `result` is None while it is being sent."""

    campaign_id: int
    contact_id: int
    batch_id: int
    position: int
    result: int | None
    account_id: int | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clue:
    """A provider's name for a message."""

    account_id: int
    provider_id: str
    recipient: str
    received_at: datetime


def sent_messages(refs: Iterable[MessageRef]) -> dict[MessageRef, SentMessage]:
    """The messages that these tokens name, as far as they exist."""
    wanted = list(dict.fromkeys(refs))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(SENT, [[ref.campaign_id for ref in wanted], [ref.contact_id for ref in wanted]])
        found = [SentMessage._make(row) for row in cursor.fetchall()]
    return {MessageRef(message.campaign_id, message.contact_id): message for message in found}


def refs_by_clue(clues: Sequence[Clue]) -> dict[Clue, MessageRef]:
    """The messages that these clues name; a clue that fits several messages names none."""
    found: dict[Clue, MessageRef] = {}
    for account_id in {clue.account_id for clue in clues}:
        found |= _refs_of_account(account_id, [clue for clue in clues if clue.account_id == account_id])
    return found


def _refs_of_account(account_id: int, clues: Sequence[Clue]) -> dict[Clue, MessageRef]:
    addresses = [normalise_address(clue.recipient) for clue in clues]
    readable = [(n, a.key) for n, a in enumerate(addresses) if isinstance(a, Address) and clues[n].provider_id]
    if not readable:
        return {}
    params: dict[str, Any] = {
        "numbers": [number for number, _ in readable],
        "keys": [key for _, key in readable],
        "ids": [clues[number].provider_id[:200] for number, _ in readable],
        "account": account_id,
        "since": min(clue.received_at for clue in clues) - LOOK_BACK,
        "until": max(clue.received_at for clue in clues) + timedelta(days=1),
    }
    refs: dict[int, list[MessageRef]] = {}
    with connection.cursor() as cursor:
        cursor.execute(BY_PROVIDER_ID, params)
        for number, campaign_id, contact_id in cursor.fetchall():
            refs.setdefault(number, []).append(MessageRef(campaign_id, contact_id))
    return {clues[number]: found[0] for number, found in refs.items() if len(found) == 1}
