"""Prepared statements: in the transaction under way, with Django's errors, and only where they are allowed."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from contacts.models import Brand
from delivery.sending.prepared import run_prepared
from tests.delivery.factories import make_brand

pytestmark = pytest.mark.django_db


def count_prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%SELECT 7 + %%'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_a_statement_is_prepared_once_and_takes_arrays_of_any_width() -> None:
    for numbers in ([1, 2], [], [None], [2**40]):
        rows = run_prepared("SELECT 7 + %(n)s, %(numbers)b::bigint[]", {"n": 1, "numbers": numbers})
        assert rows == [(8, numbers)]
    assert count_prepared() >= 1


def test_where_statements_must_not_be_prepared_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    before = count_prepared()

    assert run_prepared("SELECT 7 + 0 + %(n)s", {"n": 1}) == [(8,)]

    assert count_prepared() == before


def test_it_runs_in_the_transaction_under_way_and_raises_djangos_errors() -> None:
    brand = make_brand()
    rename = "UPDATE contacts_brand SET name = %(name)s WHERE id = %(id)s RETURNING name"
    with transaction.atomic():
        assert run_prepared(rename, {"name": "Other", "id": brand.pk}) == [("Other",)]
        transaction.set_rollback(True)
    assert Brand.objects.get().name == "Acme"
    with pytest.raises(IntegrityError), transaction.atomic():
        run_prepared("UPDATE contacts_brand SET name = NULL RETURNING id", {})
