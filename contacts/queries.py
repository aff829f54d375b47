"""Reads of the audience that are used twice or need a join."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Model, Q, QuerySet
from django.db.models.functions import Lower

from .keys import opens, read_key
from .models import ApiKey, Contact, ContactField, MailingList, Subscription, Suppression, SuppressionPolicy
from .suppression_policy import ROLE_NAMES

# Contacts at a role account's address that policy suppresses and nobody decided about: id, address_key, address, name.
# Parameters: role_names text[], role_brand bigint or null (whom the policy is for).
# `abuse@…` is a range of the unique index of addresses, whose collation is "C" ("A" follows "@"); so is `abuse+…`
# (up to ","). One that a person lifted is not suppressed again.
ROLE_ACCOUNTS = """
SELECT c.id, c.address_key, c.address, r.name
FROM unnest(%(role_names)s::text[]) r (name)
CROSS JOIN LATERAL (
    SELECT id, address_key, address FROM contacts_contact
    WHERE address >= (r.name || '@') COLLATE "C" AND address < (r.name || 'A') COLLATE "C"
    UNION ALL
    SELECT id, address_key, address FROM contacts_contact
    WHERE address >= (r.name || '+') COLLATE "C" AND address < (r.name || ',') COLLATE "C"
) c
WHERE NOT EXISTS (
    SELECT 1 FROM contacts_suppression s WHERE s.address_key = c.address_key AND s.reason = 'role'
    AND (s.brand_id IS NULL OR s.brand_id = %(role_brand)s)
)
"""


def role_params(brand_id: int) -> dict[str, Any]:
    """The parameters of ROLE_ACCOUNTS by the policy of a brand."""
    row = policy_row(brand_id)
    return {"role_names": row.roles if row else list(ROLE_NAMES), "role_brand": row.brand_id if row else None}


def policy_row(brand_id: int | None) -> SuppressionPolicy | None:
    """The policy of a brand: its own, else the one for all brands; None where nobody made one."""
    rows = SuppressionPolicy.objects.filter(Q(brand=None) | Q(brand=brand_id))
    return rows.order_by(F("brand").asc(nulls_last=True)).first()


def search_contacts(contacts: QuerySet[Contact], text: str) -> QuerySet[Contact]:
    """Contacts whose address, first or last name begins with the text.

    Each alternative has an index (one_contact_per_address, contact_first_name_prefix, contact_last_name_prefix); a
    search inside the text would scan the whole table.
    """
    text = text.strip().lower()
    named = contacts.annotate(first_lower=Lower("first_name"), last_lower=Lower("last_name"))
    by_first = ~Q(first_name="") & Q(first_lower__startswith=text)
    by_last = ~Q(last_name="") & Q(last_lower__startswith=text)
    return named.filter(Q(address__startswith=text) | by_first | by_last)


def estimated_count(model: type[Model]) -> int:
    """About how many rows a table has, from the planner's statistics: a count of a million rows takes a second."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (count,) = cursor.fetchone()
    return max(int(count), 0)


def active_suppressions(now: datetime) -> QuerySet[Suppression]:
    """Suppressions that hold at `now`."""
    return Suppression.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), lifted_at=None)


def suppressed_keys(keys: Iterable[UUID], *, brand_id: int, now: datetime) -> set[UUID]:
    """Which of the address keys get no mail at all from a brand."""
    found = active_suppressions(now).filter(Q(brand=None) | Q(brand=brand_id), address_key__in=list(keys))
    return set(found.filter(mailing_list=None).values_list("address_key", flat=True))


def list_counts(list_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """How many contacts each list has in each state of subscription."""
    counts: dict[int, dict[str, int]] = {pk: {} for pk in list_ids}
    rows = (
        Subscription.objects.filter(mailing_list_id__in=counts)
        .values_list("mailing_list_id", "state")
        .annotate(n_contacts=Count("pk"))
        .order_by()
    )
    for list_id, state, n_contacts in rows:
        counts[list_id][state] = n_contacts
    return counts


def field_kinds() -> dict[str, str]:
    """The custom fields by key, with their kinds."""
    return dict(ContactField.objects.values_list("key", "kind"))


def lists_by_reference(brand_id: int) -> dict[str | int, int]:
    """A brand's lists by name and by id, as API clients may write them."""
    found: dict[str | int, int] = {}
    for pk, name in MailingList.objects.filter(brand_id=brand_id).values_list("pk", "name"):
        found[name] = found[pk] = pk
    return found


def find_api_key(text: str) -> ApiKey | None:
    """The key that a Bearer text opens with, whether or not it still holds."""
    parts = read_key(text)
    key = ApiKey.objects.select_related("brand").filter(prefix=parts.prefix).first() if parts else None
    return key if parts and key and opens(parts.secret, key.secret_hash) else None


def contact_page(contact: Contact, now: datetime) -> dict[str, Any]:
    """What the contact page shows beside the contact: consent history, subscriptions, suppressions, identities."""
    return {
        "subscriptions": contact.subscriptions.select_related("mailing_list__brand").order_by("mailing_list__name"),
        "consent_events": contact.consent_events.select_related("mailing_list").order_by("-occurred_at", "-pk")[:50],
        "suppressions": Suppression.objects.filter(address_key=contact.address_key)
        .select_related("brand", "mailing_list")
        .order_by("-created_at"),
        "identities": contact.identities.select_related("brand").order_by("source"),
        "active_suppression_ids": set(
            active_suppressions(now).filter(address_key=contact.address_key).values_list("pk", flat=True)
        ),
    }
