"""The suppression policy in force, and the suppression of role accounts."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import F, Q

from contacts.models import SuppressionPolicy
from contacts.suppression_policy import ROLE_NAMES, Policy

# `abuse@…` is a range of the unique index of addresses, whose collation is "C" ("A" follows "@"); so is `abuse+…`
# (up to ","). One that a person lifted is not suppressed again.
SUPPRESS_ROLES = """
INSERT INTO contacts_suppression
    (address_key, address, brand_id, reason, source, evidence, created_at, lift_note)
SELECT c.address_key, c.address, %(brand)s, 'role', 'policy', jsonb_build_object('role', r.name), %(now)s, ''
FROM unnest(%(names)s::text[]) r (name)
CROSS JOIN LATERAL (
    SELECT address_key, address FROM contacts_contact
    WHERE address >= (r.name || '@') COLLATE "C" AND address < (r.name || 'A') COLLATE "C"
    UNION ALL
    SELECT address_key, address FROM contacts_contact
    WHERE address >= (r.name || '+') COLLATE "C" AND address < (r.name || ',') COLLATE "C"
) c
WHERE NOT EXISTS (
    SELECT 1 FROM contacts_suppression s WHERE s.address_key = c.address_key AND s.reason = 'role'
    AND (s.brand_id IS NULL OR s.brand_id = %(brand)s)
)
ORDER BY c.address_key
ON CONFLICT (address_key, brand_id, mailing_list_id) WHERE lifted_at IS NULL DO NOTHING
"""


def policy_of(brand_id: int | None) -> Policy:
    """The policy of a brand: its own, else the one for all brands, else the usual one."""
    row = _row_of(brand_id)
    return row.values if row else Policy()


def suppress_role_accounts(brand_id: int, *, now: datetime) -> int:
    """No contact with a role account's address gets mail of the brand; returns how many that is new for."""
    row = _row_of(brand_id)
    names = row.roles if row else list(ROLE_NAMES)
    scope = row.brand_id if row else None
    if not names:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS_ROLES, {"names": names, "brand": scope, "now": now})
        return int(cursor.rowcount)


def _row_of(brand_id: int | None) -> SuppressionPolicy | None:
    rows = SuppressionPolicy.objects.filter(Q(brand=None) | Q(brand=brand_id))
    return rows.order_by(F("brand").asc(nulls_last=True)).first()
