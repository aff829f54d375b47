"""Consent, suppressions, erasure, keys: what is true after a service, and what is not."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import connection

from contacts.errors import AddressTaken, ContactErased, NotWanted, WrongState
from contacts.models import (
    ConsentEvent,
    Contact,
    IdempotentRequest,
    ImportJob,
    ImportRejectedRow,
    Subscription,
    Suppression,
)
from contacts.policy import Consent
from contacts.queries import active_suppressions, estimated_count, find_api_key, suppressed_keys
from contacts.services import (
    ConsentOffer,
    change_address,
    create_api_key,
    erase_contact,
    lift_suppression,
    note_api_key_use,
    record_consents,
    revoke_api_key,
    save_contact,
    subscribe_contact,
    suppress_address,
    unsubscribe_contact,
)
from contacts.services.forgetting import forget_old_requests
from tests.contacts.factories import NOW, address, make_brand, make_contact, make_list, patch, subscribe

pytestmark = pytest.mark.django_db
EARLIER, LATER = NOW - timedelta(days=30), NOW + timedelta(days=1)
DAVE = address("dave@example.com")


def leave(contact: Contact, list_ids: list[int] | None, **values: Any) -> int:
    """How many subscriptions ended."""
    defaults: dict[str, Any] = {"source": "one-click", "occurred_at": NOW, "evidence": {"ip": "::1"}, "now": NOW}
    return unsubscribe_contact(contact.pk, list_ids=list_ids, **(defaults | values))


def suppress(**values: Any) -> bool:
    """Whether suppressing Dave was news."""
    defaults: dict[str, Any] = {"reason": "hard_bounce", "source": "dsn", "evidence": {"code": "5.1.1"}, "now": NOW}
    return suppress_address(DAVE.key, DAVE.address, **(defaults | values))


def test_a_saved_contact_is_there_once_with_the_newest_values() -> None:
    first = save_contact(patch("Alice@Example.com", first_name="Alice", fields={"size": "M"}), now=NOW)
    again = save_contact(patch("alice@example.com", city="Rome", fields={"size": None, "vip": True}), now=LATER)
    assert (again.pk, again.email, again.first_name, again.city) == (first.pk, "Alice@Example.com", "Alice", "Rome")
    assert (again.fields, again.created_at, again.updated_at) == ({"vip": True}, NOW, LATER)
    same = save_contact(patch("alice@example.com", city="Rome"), now=LATER + timedelta(days=1))
    assert same.updated_at == LATER


def test_unsubscribing_takes_people_off_and_stands_in_the_ledger_once() -> None:
    alice, mailing_list = make_contact(), make_list()
    subscribe(alice, mailing_list)
    assert [leave(alice, [mailing_list.pk]), leave(alice, [mailing_list.pk])] == [1, 0]
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.source, subscription.consent_at) == ("unsubscribed", "one-click", NOW)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.mailing_list, event.evidence) == ("withdrawn", mailing_list, {"ip": "::1"})


def test_leaving_a_list_one_was_never_on_keeps_imports_out() -> None:
    alice, mailing_list = make_contact(), make_list()
    assert leave(alice, [mailing_list.pk]) == 1
    assert Subscription.objects.get().state == "unsubscribed"


def test_leaving_everything_means_the_lists_one_is_on() -> None:
    alice, brand = make_contact(), make_brand()
    for number in range(2):
        subscribe(alice, make_list(brand, f"List {number}"))
    make_list(brand, "Other")
    assert leave(alice, None) == 2
    assert Subscription.objects.filter(state="unsubscribed").count() == 2


def test_lists_and_contacts_that_are_gone_are_passed_over() -> None:
    alice = make_contact()
    assert leave(alice, [999]) == 0
    assert unsubscribe_contact(999, list_ids=[1], source="x", occurred_at=NOW, evidence={}, now=NOW) == 0
    assert not ConsentEvent.objects.exists()


def test_an_older_unsubscribe_does_not_undo_a_newer_consent() -> None:
    alice, mailing_list = make_contact(), make_list()
    subscribe(alice, mailing_list)
    assert leave(alice, [mailing_list.pk], occurred_at=EARLIER) == 0
    assert Subscription.objects.get().state == "confirmed"


def test_a_newer_withdrawal_moves_the_clock_so_that_what_lay_between_loses() -> None:
    alice, mailing_list = make_contact(), make_list()
    subscribe(alice, mailing_list, "unsubscribed", source="store:1", consent_at=EARLIER)
    assert leave(alice, [mailing_list.pk]) == 1
    between = {"source": "store:1", "occurred_at": NOW - timedelta(days=1), "evidence": {}, "now": LATER}
    assert subscribe_contact(alice.pk, list_ids=[mailing_list.pk], **between) == 0  # type: ignore[arg-type]


def test_a_person_may_come_back_by_their_own_word() -> None:
    alice, mailing_list = make_contact(), make_list()
    leave(alice, [mailing_list.pk])
    values: dict[str, Any] = {"list_ids": [mailing_list.pk], "evidence": {}, "now": LATER, "occurred_at": LATER}
    assert subscribe_contact(alice.pk, source="api", **values) == 0
    assert subscribe_contact(alice.pk, source="page", **values) == 1
    assert list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True)) == ["withdrawn", "granted"]


def test_an_offer_that_counts_only_from_one_source_adds_nothing() -> None:
    alice, bob, mailing_list = make_contact(), make_contact("bob@example.com"), make_list()
    subscribe(bob, mailing_list, source="store:1")
    offers = [
        ConsentOffer(one.pk, mailing_list.pk, Consent("unsubscribed", NOW, "store:1"), only_from="store:1")
        for one in (alice, bob)
    ]
    assert record_consents(offers, now=NOW) == 1
    assert list(Subscription.objects.values_list("contact_id", "state")) == [(bob.pk, "unsubscribed")]


def test_two_words_at_once_on_a_new_subscription_end_with_leaving(transactional_db: None) -> None:
    alice, mailing_list = make_contact(), make_list()
    barrier = threading.Barrier(2)

    def say(state: str) -> None:
        barrier.wait()
        consent = Consent(state, NOW, "page")  # type: ignore[arg-type]
        record_consents([ConsentOffer(alice.pk, mailing_list.pk, consent)], now=NOW)
        connection.close()

    threads = [threading.Thread(target=say, args=[state]) for state in ("confirmed", "unsubscribed")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Subscription.objects.get().state == "unsubscribed"


def test_suppressing_twice_is_suppressing_once() -> None:
    assert [suppress(), suppress(reason="complaint")] == [True, False]
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.address, suppression.evidence) == (
        "hard_bounce",
        "dave@example.com",
        {"code": "5.1.1"},
    )


def test_scopes_stand_beside_each_other() -> None:
    mailing_list = make_list()
    assert [suppress(), suppress(brand_id=mailing_list.brand_id), suppress(mailing_list_id=mailing_list.pk)] == [
        True
    ] * 3
    assert not suppress(brand_id=mailing_list.brand_id)


def test_a_longer_suppression_replaces_one_that_runs_out_and_never_the_other_way() -> None:
    assert suppress(reason="soft_bounce", expires_at=LATER)
    assert not suppress(reason="soft_bounce", expires_at=NOW)
    assert suppress(reason="complaint")
    assert not suppress(reason="soft_bounce", expires_at=LATER)
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.expires_at) == ("complaint", None)


def test_a_suppression_that_ran_out_does_not_hold_and_can_be_made_anew() -> None:
    suppress(expires_at=EARLIER)
    brand = make_brand()
    assert not active_suppressions(NOW).exists()
    assert suppressed_keys([DAVE.key], brand_id=brand.pk, now=NOW) == set()
    assert suppress(expires_at=LATER)
    assert suppressed_keys([DAVE.key], brand_id=brand.pk, now=NOW) == {DAVE.key}


def test_lifting_needs_a_note_and_stays_on_record() -> None:
    suppress()
    carol = get_user_model().objects.create_user("carol")
    suppression = Suppression.objects.get()
    with pytest.raises(NotWanted):
        lift_suppression(suppression.pk, by=carol, note=" ", now=NOW)
    lift_suppression(suppression.pk, by=carol, note="asked for it", now=NOW)
    with pytest.raises(WrongState):
        lift_suppression(suppression.pk, by=carol, note="again", now=NOW)
    suppression.refresh_from_db()
    assert (suppression.lifted_at, suppression.lifted_by, suppression.lift_note) == (NOW, carol, "asked for it")
    assert suppress()


def test_an_erased_person_leaves_a_hash_and_cannot_return() -> None:
    mailing_list = make_list()
    dave = make_contact("dave@example.com")
    subscribe_contact(
        dave.pk, list_ids=[mailing_list.pk], source="page", occurred_at=NOW, evidence={"ip": "::1"}, now=NOW
    )
    suppress()
    suppress(brand_id=mailing_list.brand_id)
    erase_contact(dave, source="admin", now=LATER)
    assert not Contact.objects.exists()
    assert not Subscription.objects.exists()
    event = ConsentEvent.objects.get()
    assert (event.contact_id, event.address_key, event.evidence) == (None, DAVE.key, {})
    found = {(row.address, row.reason, str(row.evidence)) for row in Suppression.objects.all()}
    assert found == {("", "erased", "{}"), ("", "hard_bounce", "{}")}
    with pytest.raises(ContactErased):
        save_contact(patch("DAVE@example.com"), now=LATER)
    carol = get_user_model().objects.create_user("carol")
    lift_suppression(Suppression.objects.get(reason="erased").pk, by=carol, note="came back", now=LATER)
    assert save_contact(patch("dave@example.com"), now=LATER).address == "dave@example.com"


def test_a_person_moves_to_a_free_address_only() -> None:
    alice, bob = make_contact(), make_contact("bob@example.com")
    change_address(alice, address("Alice@new.example"), now=LATER)
    assert (alice.address, alice.domain, alice.updated_at) == ("alice@new.example", "new.example", LATER)
    with pytest.raises(AddressTaken):
        change_address(bob, address("alice@new.example"), now=LATER)
    bob.refresh_from_db()
    assert bob.address == "bob@example.com"


def test_a_key_opens_until_it_is_revoked_and_its_use_is_noted_by_the_minute() -> None:
    key, text = create_api_key(make_brand(), "script")
    assert find_api_key(text) == key
    assert [find_api_key(wrong) for wrong in (text[:-1], text + "x", "ff_", "", f"xx{text[2:]}")] == [None] * 5
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        note_api_key_use(key, now=NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=noted)
    revoke_api_key(key, now=NOW)
    with pytest.raises(WrongState):
        revoke_api_key(key, now=NOW)


def test_a_small_table_is_counted_and_an_unanalysed_one_is_not_negative() -> None:
    assert estimated_count(Contact) >= 0


def test_old_answers_files_and_rejected_rows_are_forgotten(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    brand = make_brand()
    key, _ = create_api_key(brand, "script")
    for hours in (25, 23):
        IdempotentRequest.objects.create(
            api_key=key, key=str(hours), body_hash="", created_at=NOW - timedelta(hours=hours)
        )
    for days in (91, 31, 29):
        job = ImportJob(brand=brand, file_name=f"{days}.csv", state="failed")
        job.file.save(f"{days}.csv", ContentFile(b"x"))
        ImportJob.objects.filter(pk=job.pk).update(created_at=NOW - timedelta(days=days))
        ImportRejectedRow.objects.create(job=job, line_number=2, reason="no")
    forget_old_requests(now=NOW)
    assert list(IdempotentRequest.objects.values_list("key", flat=True)) == ["23"]
    states = dict(ImportJob.objects.values_list("file_name", "state"))
    assert states == {"91.csv": "cancelled", "31.csv": "cancelled", "29.csv": "failed"}
    assert len(list(tmp_path.rglob("*.csv"))) == 1
    assert ImportRejectedRow.objects.count() == 2
