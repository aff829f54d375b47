"""Suppressing an address and lifting a suppression."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from contacts.addresses import Address
from contacts.errors import NotWanted, WrongState
from contacts.models import Suppression

# A row that is there stays as it is, unless the new one holds longer.
SUPPRESS = """
INSERT INTO contacts_suppression AS kept
    (address_key, address, brand_id, mailing_list_id, reason, source, evidence, created_at, expires_at, lift_note)
VALUES (%(address_key)s, %(address)s, %(brand_id)s, %(mailing_list_id)s, %(reason)s, %(source)s, %(evidence)s::jsonb,
    %(now)s, %(expires_at)s, '')
ON CONFLICT (address_key, brand_id, mailing_list_id) WHERE lifted_at IS NULL DO UPDATE
SET reason = excluded.reason, source = excluded.source, evidence = excluded.evidence, address = excluded.address,
    created_at = excluded.created_at, expires_at = excluded.expires_at
WHERE kept.expires_at IS NOT NULL AND (excluded.expires_at IS NULL OR excluded.expires_at > kept.expires_at)
RETURNING id
"""


def suppress_address(  # noqa: PLR0913 (the fact has this many parts; all are named at the call)
    address_key: UUID,
    address: str,
    *,
    reason: str,
    source: str,
    evidence: dict[str, Any],
    brand_id: int | None = None,
    mailing_list_id: int | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> bool:
    """The address gets no more mail: nowhere, or not from one brand, or not from one list.

    True if that is new or holds longer than before; a repeated call changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            SUPPRESS,
            {
                "address_key": address_key,
                "address": address,
                "brand_id": brand_id,
                "mailing_list_id": mailing_list_id,
                "reason": str(reason),
                "source": source,
                "evidence": json.dumps(evidence),
                "expires_at": expires_at,
                "now": now,
            },
        )
        return cursor.fetchone() is not None


def suppress_addresses(
    addresses: Sequence[Address],
    *,
    reason: str,
    source: str,
    brand_id: int | None,
    evidence: dict[str, Any] | None = None,
    now: datetime,
) -> int:
    """All the addresses get no more mail, from one brand or from none; returns for how many that is new."""
    n_new = 0
    with transaction.atomic():
        for address in sorted(addresses, key=lambda one: one.key):
            n_new += suppress_address(
                address.key,
                address.address,
                reason=reason,
                source=source,
                evidence=evidence or {},
                brand_id=brand_id,
                now=now,
            )
    return n_new


def lift_suppression(suppression_id: int, *, by: Any, note: str, now: datetime) -> None:
    """The suppression no longer holds; who lifted it and why stays on record. Subscribes nobody.

    Raises NotWanted without a note, WrongState if it is lifted already.
    """
    if not note.strip():
        raise NotWanted("Say why the suppression is lifted.")
    lifted = Suppression.objects.filter(pk=suppression_id, lifted_at=None).update(
        lifted_at=now, lifted_by=by, lift_note=note.strip()
    )
    if not lifted:
        raise WrongState("This suppression has been lifted already.")
