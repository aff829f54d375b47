"""Statistics of people are renewed when many came, so that the next statement over them is planned for them."""

from __future__ import annotations

import pytest
from django.db import connection

from contacts.models import Contact, Subscription
from contacts.services import renew_statistics
from tests.delivery.sending.test_freezing_at_size import make_crowd

# Transactions of their own: PostgreSQL counts a change when it is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def expected_rows(model: type[Contact | Subscription]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        row = cursor.fetchone()
    return int(row[0])


def analyze_people() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_subscription, contacts_suppression")


def test_many_new_people_are_expected_afterwards() -> None:
    analyze_people()
    make_crowd(5_000)
    connection.commit()
    renew_statistics()
    assert (expected_rows(Contact), expected_rows(Subscription)) == (5_000, 5_000)


def test_few_new_people_are_left_to_autovacuum() -> None:
    analyze_people()
    make_crowd(100)
    assert renew_statistics() == []
