"""The suppression policy in force, and the suppression of role accounts."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from contacts.queries import ROLE_ACCOUNTS, policy_row, role_params
from contacts.suppression_policy import Policy

SUPPRESS_ROLES = f"""
INSERT INTO contacts_suppression
    (address_key, address, brand_id, reason, source, evidence, created_at, lift_note)
SELECT address_key, address, %(role_brand)s, 'role', 'policy', jsonb_build_object('role', name), %(now)s, ''
FROM ({ROLE_ACCOUNTS}) roles ORDER BY address_key
ON CONFLICT (address_key, brand_id, mailing_list_id) WHERE lifted_at IS NULL DO NOTHING
"""  # noqa: S608 - built of constants


def policy_of(brand_id: int | None) -> Policy:
    """The policy of a brand: its own, else the one for all brands, else the usual one."""
    row = policy_row(brand_id)
    return row.values if row else Policy()


def suppress_role_accounts(brand_id: int, *, now: datetime) -> int:
    """No contact with a role account's address gets mail of the brand; returns how many that is new for."""
    params = role_params(brand_id)
    if not params["role_names"]:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS_ROLES, params | {"now": now})
        return int(cursor.rowcount)
