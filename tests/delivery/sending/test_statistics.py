"""Statistics of people are renewed when many came, so that the next statement over them is planned for so many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from contacts.models import Contact, ImportJob, Subscription
from contacts.services import renew_statistics
from contacts.tasks import run_imports
from delivery.services.planning import plan_next_campaign
from tests.contacts.imports.test_pipeline import start, upload
from tests.delivery.factories import make_list, make_preparing, make_route
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


def test_a_freeze_expects_the_many_who_just_came() -> None:
    analyze_people()
    make_preparing(make_crowd(5_000))
    make_route()
    planned = plan_next_campaign(now=timezone.now())
    assert planned is not None
    assert planned.n_messages == 5_000
    assert (expected_rows(Contact), expected_rows(Subscription)) == (5_000, 5_000)


def test_an_import_leaves_its_people_expected(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    analyze_people()
    mailing_list = make_list()
    people = "".join(f"reader{number}@example.com\n" for number in range(3_000))
    start(upload("Email\n" + people, mailing_list), {0: "email"}, mailing_list, attested=True)
    run_imports()
    assert ImportJob.objects.get().state == "finished"
    assert (expected_rows(Contact), expected_rows(Subscription)) == (3_000, 3_000)


def test_few_new_people_are_left_to_autovacuum() -> None:
    analyze_people()
    make_crowd(100)
    assert renew_statistics() == []
