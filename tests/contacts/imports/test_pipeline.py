"""An upload becomes contacts: whole, in chunks, twice, after a crash, and never against anybody's will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.errors import NotWanted, WrongState
from contacts.imports.pipeline import LeaseLost, import_chunk, lease_import, run_import
from contacts.imports.records import Dialect, Position, Record
from contacts.imports.rows import RejectedRow
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactField,
    ImportedAddress,
    ImportJob,
    MailingList,
    Subscription,
    Suppression,
)
from contacts.services import erase_contact, suppress_address
from contacts.services.imports import ImportChoices, cancel_import, continue_import, queue_import, receive_upload
from tests.contacts.factories import NOW, address, make_brand, make_contact, make_list, subscribe

pytestmark = pytest.mark.django_db
SHOPIFY = (
    "First Name,Last Name,Email,Accepts Email Marketing,Default Address City,Default Address Country Code,Phone\n"
    "Alice,Smith,alice@example.com,yes,Berlin,DE,'+49301234\n"
    "Bob,Jones,bob@example.com,no,Paris,FR,\n"
)


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def upload(text: str | bytes, mailing_list: MailingList | None = None, **values: Any) -> ImportJob:
    """A job on its columns page."""
    content = text.encode() if isinstance(text, str) else text
    brand = mailing_list.brand if mailing_list else make_brand(**values)
    job = receive_upload(brand, SimpleUploadedFile("people.csv", content), user=None)
    ImportJob.objects.filter(pk=job.pk).update(created_at=NOW)
    job.refresh_from_db()
    return job


def start(
    job: ImportJob, mapping: dict[int, str], mailing_list: MailingList | None = None, *, attested: bool = False
) -> ImportJob:
    """The job queued with these columns."""
    dialect = Dialect(job.encoding, job.delimiter)
    queue_import(job, ImportChoices(dialect, job.has_header, mapping, mailing_list, "", attested))
    return job


def run(job: ImportJob, **values: Any) -> ImportJob:
    """The job after one worker has worked on it."""
    leased = lease_import(NOW)
    assert leased is not None
    assert leased.pk == job.pk
    run_import(leased, clock=lambda: NOW, until=NOW + timedelta(hours=1), **values)
    job.refresh_from_db()
    return job


def import_text(
    text: str | bytes,
    mapping: dict[int, str],
    mailing_list: MailingList | None = None,
    *,
    attested: bool = False,
    **values: Any,
) -> ImportJob:
    """The finished job of a text."""
    return run(start(upload(text, mailing_list), mapping, mailing_list, attested=attested), **values)


def counts(job: ImportJob) -> dict[str, int]:
    """The job's counts that are not zero."""
    names = ("rows", "created", "updated", "unchanged", "subscribed", "unsubscribed", "suppressed", "rejected")
    found = {name: getattr(job, f"n_{name}") for name in (*names, "duplicates")}
    return {name: value for name, value in found.items() if value}


SHOPIFY_COLUMNS = {0: "first_name", 1: "last_name", 2: "email", 3: "consent", 4: "city", 5: "country", 6: "phone"}


def test_a_shopify_export_brings_people_and_subscribes_those_who_agreed() -> None:
    mailing_list = make_list()
    job = import_text(SHOPIFY, SHOPIFY_COLUMNS, mailing_list)
    assert job.state == "finished"
    assert counts(job) == {"rows": 2, "created": 2, "subscribed": 1}
    alice = Contact.objects.get(address="alice@example.com")
    assert (alice.first_name, alice.last_name, alice.city, alice.country) == ("Alice", "Smith", "Berlin", "DE")
    assert alice.phone == "+49301234"
    subscription = Subscription.objects.get()
    assert (subscription.contact, subscription.state, subscription.source) == (alice, "confirmed", f"import:{job.pk}")
    event = ConsentEvent.objects.get()
    assert (event.contact, event.kind, event.occurred_at) == (alice, "granted", NOW)
    assert event.evidence == {"file": "people.csv", "attested_by": None}


def test_importing_twice_changes_nothing() -> None:
    mailing_list = make_list()
    import_text(SHOPIFY, SHOPIFY_COLUMNS, mailing_list)
    before = list(Contact.objects.order_by("pk").values())
    job = import_text(SHOPIFY, SHOPIFY_COLUMNS, mailing_list)
    assert counts(job) == {"rows": 2, "unchanged": 2}
    assert list(Contact.objects.order_by("pk").values()) == before
    assert ConsentEvent.objects.count() == 1


def test_the_file_and_the_memory_of_addresses_are_gone_when_the_job_ends() -> None:
    job = upload(SHOPIFY)
    path = Path(job.file.path)
    assert path.exists()
    run(start(job, SHOPIFY_COLUMNS))
    assert not path.exists()
    assert not ImportedAddress.objects.exists()


def test_without_a_list_nobody_is_subscribed() -> None:
    job = import_text(SHOPIFY, SHOPIFY_COLUMNS)
    assert counts(job) == {"rows": 2, "created": 2}
    assert not Subscription.objects.exists()


def test_a_list_without_consent_is_refused() -> None:
    mailing_list = make_list()
    job = upload(SHOPIFY, mailing_list)
    with pytest.raises(NotWanted, match="state that they agreed"):
        start(job, {2: "email"}, mailing_list)
    job.refresh_from_db()
    assert job.state == "uploaded"


def test_attested_people_join_the_list_and_the_proof_names_who_attested() -> None:
    mailing_list = make_list()
    job = import_text("email\nalice@example.com\nbob@example.com\n", {0: "email"}, mailing_list, attested=True)
    assert counts(job) == {"rows": 2, "created": 2, "subscribed": 2}


def test_a_consent_column_outweighs_the_attestation() -> None:
    mailing_list = make_list()
    text = "email,ok\nalice@example.com,yes\nbob@example.com,no\ncarol@example.com,\n"
    job = import_text(text, {0: "email", 1: "consent"}, mailing_list, attested=True)
    assert counts(job) == {"rows": 3, "created": 3, "subscribed": 1}


def test_an_import_never_raises_consent_and_never_lifts_a_suppression() -> None:
    mailing_list = make_list()
    alice, bob, carol = (make_contact(f"{name}@example.com") for name in ("alice", "bob", "carol"))
    subscribe(alice, mailing_list)
    subscribe(bob, mailing_list, "unconfirmed")
    subscribe(carol, mailing_list, "unsubscribed")
    for text, scope in (("dave", {}), ("erin", {"brand_id": mailing_list.brand_id}), ("frank", {"expires_at": NOW})):
        found = address(f"{text}@example.com")
        suppress_address(found.key, found.address, reason="hard_bounce", source="smtp", evidence={}, now=NOW, **scope)
    names = ("alice", "bob", "carol", "dave", "erin", "frank")
    text = "email,ok,at\n" + "".join(f"{name}@example.com,yes,2030-01-01\n" for name in names)
    job = import_text(text, {0: "email", 1: "consent", 2: "consent_at"}, mailing_list)
    assert counts(job) == {"rows": 6, "created": 3, "unchanged": 3, "subscribed": 1, "suppressed": 2}
    states = dict(Subscription.objects.values_list("contact__address", "state"))
    assert states == {
        "alice@example.com": "confirmed",
        "bob@example.com": "unconfirmed",
        "carol@example.com": "unsubscribed",
        "frank@example.com": "confirmed",  # the suppression ran out
    }
    assert Suppression.objects.filter(lifted_at=None).count() == 3
    assert Subscription.objects.get(contact__address="frank@example.com").consent_at == NOW  # 2030 is not yet


def test_an_import_takes_people_off_the_list_unless_they_came_back_later() -> None:
    mailing_list = make_list()
    alice, bob, carol = (make_contact(f"{name}@example.com") for name in ("alice", "bob", "carol"))
    for contact in (alice, bob):
        subscribe(contact, mailing_list, consent_at=datetime(2025, 6, 1, tzinfo=UTC))
    subscribe(carol, mailing_list, "unsubscribed")
    text = (
        "email,status,when\nalice@example.com,unsubscribed,2025-07-01 10:00:00\n"
        "bob@example.com,unsubscribed,2025-05-01\ncarol@example.com,unsubscribed,\ndora@example.com,unsubscribed,\n"
    )
    job = import_text(text, {0: "email", 1: "consent", 2: "consent_at"}, mailing_list)
    assert counts(job) == {"rows": 4, "created": 1, "unchanged": 3, "unsubscribed": 2}
    states = dict(Subscription.objects.values_list("contact__first_name", "state"))
    states = dict(Subscription.objects.values_list("contact__address", "state"))
    assert states == {
        "alice@example.com": "unsubscribed",
        "bob@example.com": "confirmed",
        "carol@example.com": "unsubscribed",
        "dora@example.com": "unsubscribed",
    }
    assert ConsentEvent.objects.filter(kind="withdrawn").count() == 2


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_of_two_rows_of_one_address_the_first_counts_and_leaving_wins(chunk_rows: int) -> None:
    mailing_list = make_list()
    text = (
        "email,name,ok\nalice@example.com,First,yes\nALICE@Example.com,Second,unsubscribed\nalice@example.com,T,yes\n"
    )
    job = import_text(text, {0: "email", 1: "first_name", 2: "consent"}, mailing_list, chunk_rows=chunk_rows)
    assert counts(job) == {"rows": 3, "created": 1, "duplicates": 2, "subscribed": 1, "unsubscribed": 1}
    assert Contact.objects.get().first_name == "First"
    assert Subscription.objects.get().state == "unsubscribed"


def test_empty_cells_never_erase_what_is_known() -> None:
    ContactField.objects.create(key="size", label="Size")
    make_contact("alice@example.com", first_name="Alice", city="Rome", fields={"size": "M", "vip": True})
    job = import_text(
        "email,name,town,size\nalice@example.com, ,Oslo,\n", {0: "email", 1: "first_name", 2: "city", 3: "field:size"}
    )
    assert counts(job) == {"rows": 1, "updated": 1}
    alice = Contact.objects.get()
    assert (alice.first_name, alice.city, alice.fields) == ("Alice", "Oslo", {"size": "M", "vip": True})
    assert alice.updated_at == NOW


def test_custom_fields_come_in_typed() -> None:
    for key, kind in (
        ("points", "number"),
        ("birthday", "date"),
        ("vip", "boolean"),
        ("tags", "list"),
        ("note", "text"),
    ):
        ContactField.objects.create(key=key, label=key, kind=kind)
    text = 'email,p,b,v,t,n\nalice@example.com,"1,234.5",1990/2/3,yes,"a, b;a",x\nbob@example.com,many,,,,\n'
    mapping = {0: "email", 1: "field:points", 2: "field:birthday", 3: "field:vip", 4: "field:tags", 5: "field:note"}
    job = import_text(text, mapping)
    assert counts(job) == {"rows": 2, "created": 1, "rejected": 1}
    expected = {"points": 1234.5, "birthday": "1990-02-03", "vip": True, "tags": ["a", "b"], "note": "x"}
    assert Contact.objects.get().fields == expected
    rejected = job.rejected_rows.get()
    assert (rejected.line_number, rejected.field, rejected.reason) == (3, "points", "It is not a number.")
    assert rejected.cells == ["bob@example.com", "many", "", "", "", ""]


def test_a_new_field_is_made_from_its_header() -> None:
    mapping = {0: "email", 1: "new", 2: "new", 3: "new"}
    import_text("email,T-Shirt Size,生日,Email\nalice@example.com,M,5月,x\n", mapping)
    assert Contact.objects.get().fields == {"t_shirt_size": "M", "column_3": "5月", "email_2": "x"}
    assert dict(ContactField.objects.values_list("key", "label")) == {
        "t_shirt_size": "T-Shirt Size",
        "column_3": "生日",
        "email_2": "Email",
    }


def test_somebody_who_asked_to_be_erased_is_not_added_again() -> None:
    erase_contact(make_contact("alice@example.com"), source="admin", now=NOW)
    mailing_list = make_list()
    text = "email\nAlice@example.com\nalice@example.com\nbob@example.com\n"
    job = import_text(text, {0: "email"}, mailing_list, attested=True)
    assert counts(job) == {"rows": 3, "created": 1, "subscribed": 1, "rejected": 2}
    assert list(Contact.objects.values_list("address", flat=True)) == ["bob@example.com"]
    assert [row.line_number for row in job.rejected_rows.all()] == [2, 3]


def test_a_crash_between_chunks_repeats_nothing_and_loses_nothing() -> None:
    mailing_list = make_list()
    people = "".join(f'user{n}@example.com,"Line\nbreak {n}"\n' for n in range(10))
    job = start(upload("email,note\n" + people, mailing_list), {0: "email"}, mailing_list, attested=True)
    leased = lease_import(NOW)
    assert leased is not None
    ticks = count()
    ended = run_import(
        leased, clock=lambda: NOW + timedelta(minutes=next(ticks)), until=NOW + timedelta(minutes=2), chunk_rows=3
    )
    assert ended is False
    job.refresh_from_db()
    assert (job.n_rows, job.n_lines_done) == (6, 13)
    run(job)
    assert counts(job) == {"rows": 10, "created": 10, "subscribed": 10}
    assert job.fence == 2


def test_a_dead_workers_job_is_taken_over_when_its_lease_ends() -> None:
    job = start(upload(SHOPIFY), SHOPIFY_COLUMNS)
    dead = lease_import(NOW)
    assert dead is not None
    assert lease_import(NOW) is None
    heir = lease_import(NOW + timedelta(minutes=3))
    assert heir is not None
    row = (Record(2, ["x"], "", Position(9, 2)), RejectedRow(2, "email", "no"))
    with pytest.raises(LeaseLost):
        import_chunk(dead, [row], now=NOW)
    job.refresh_from_db()
    assert (job.n_rows, job.n_bytes_done, job.rejected_rows.count()) == (0, 0, 0)


def test_a_cancelled_import_writes_nothing_more() -> None:
    job = start(upload(SHOPIFY), SHOPIFY_COLUMNS)
    leased = lease_import(NOW)
    assert leased is not None
    with leased.file.open("rb"):
        cancel_import(job, now=NOW)
        row = (Record(2, ["x"], "", Position(9, 2)), RejectedRow(2, "email", "no"))
        with pytest.raises(LeaseLost):
            import_chunk(leased, [row], now=NOW)
    job.refresh_from_db()
    assert (job.state, job.n_rows) == ("cancelled", 0)
    with pytest.raises(WrongState):
        cancel_import(job, now=NOW)


def test_a_failed_import_can_be_continued() -> None:
    job = start(upload(SHOPIFY), SHOPIFY_COLUMNS)
    with pytest.raises(WrongState):
        continue_import(job)
    ImportJob.objects.update(state="failed", problem="disk full")
    continue_import(job)
    assert counts(run(job)) == {"rows": 2, "created": 2}
    assert (job.state, job.problem) == ("finished", "")


# In a test's one transaction all rows would be invisible to autovacuum, which then counts 0 of them for the planner.
@pytest.mark.django_db(transaction=True)
def test_a_hundred_thousand_rows_come_in_and_come_in_again_unchanged() -> None:
    mailing_list = make_list()
    rows = "".join(f"user{n % 95_000}@example.com,First{n % 95_000},Berlin,DE,yes\n" for n in range(100_000))
    text = "Email,First Name,City,Country,Accepts Email Marketing\n" + rows
    mapping = {0: "email", 1: "first_name", 2: "city", 3: "country", 4: "consent"}
    job = import_text(text, mapping, mailing_list)
    expected = {"rows": 100_000, "created": 95_000, "duplicates": 5_000, "subscribed": 95_000}
    assert counts(job) == expected
    again = import_text(text, mapping, mailing_list)
    assert counts(again) == {"rows": 100_000, "unchanged": 95_000, "duplicates": 5_000}
    assert ConsentEvent.objects.count() == 95_000
