"""Deliveries of stores, processed in any order to the same end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from contacts.models import ConsentEvent, Contact, ContactIdentity, Subscription, Suppression
from contacts.services import suppress_address, unsubscribe_contact
from contacts.stores.models import StoreDelivery
from contacts.stores.processing import forget_old_deliveries, process_next
from tests.contacts.factories import NOW, address, make_contact, subscribe
from tests.contacts.stores.delivering import CONSENT, LATER, consent, customer, deliver, make_store, process_all

pytestmark = pytest.mark.django_db


def test_a_customer_becomes_a_contact_who_is_subscribed_to_nothing() -> None:
    store = make_store()
    deliver(store, "customers/create", customer())
    assert process_all() == 1
    alice = Contact.objects.get()
    assert (alice.email, alice.first_name, alice.city, alice.country) == ("alice@example.com", "Alice", "Ottawa", "CA")
    assert alice.phone == "555-1212"
    assert not Subscription.objects.exists()
    identity = ContactIdentity.objects.get()
    assert (identity.external_id, identity.source) == ("706405506930370084", f"store:{store.pk}")
    delivery = StoreDelivery.objects.get()
    assert (delivery.outcome, bytes(delivery.body), delivery.processed_at) == ("Contact saved.", b"", LATER)


def test_disordered_updates_end_with_the_newest() -> None:
    store = make_store()
    payloads = [
        customer("2026-01-01T10:00:00Z", first_name="Old"),
        customer("2026-01-01T11:00:00Z", first_name="New", email="alice@new.example"),
        customer("2026-01-01T10:30:00Z", first_name="Mid"),
    ]
    for order in permutations(payloads):
        Contact.objects.all().delete()
        ContactIdentity.objects.all().delete()
        for payload in order:
            deliver(store, "customers/update", payload)
        process_all()
        assert Contact.objects.get(identities__isnull=False).first_name == "New"


def test_consent_follows_its_own_clock_in_any_order() -> None:
    store = make_store()
    payloads = [
        (CONSENT, consent("subscribed", "2025-12-01T00:00:00Z")),
        (CONSENT, consent("unsubscribed", "2025-12-03T00:00:00Z")),
        (CONSENT, consent("subscribed", "2025-12-02T00:00:00Z")),
        ("customers/create", customer()),
    ]
    for order in permutations(payloads):
        Contact.objects.all().delete()
        ContactIdentity.objects.all().delete()
        for topic, payload in order:
            deliver(store, topic, payload)
        process_all()
        assert [row.state for row in Subscription.objects.all()] == ["unsubscribed"]
        assert Contact.objects.get().first_name == "Alice"


def test_a_person_who_returns_in_the_store_is_subscribed_again() -> None:
    store = make_store()
    for state, day in (("subscribed", 1), ("unsubscribed", 2), ("subscribed", 3)):
        deliver(store, CONSENT, consent(state, f"2025-12-0{day}T00:00:00Z"))
        process_all()
    assert Subscription.objects.get().state == "confirmed"
    kinds = ConsentEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["granted", "withdrawn", "granted"]


def test_a_sync_never_undoes_a_local_unsubscribe_nor_lifts_a_suppression() -> None:
    store = make_store()
    alice = make_contact()
    subscribe(alice, store.mailing_list)
    unsubscribe_contact(
        alice.pk, list_ids=[store.mailing_list_id], source="one-click", occurred_at=NOW, evidence={}, now=NOW
    )
    found = address("alice@example.com")
    suppress_address(found.key, found.address, reason="complaint", source="webhook", evidence={}, now=NOW)
    deliver(store, CONSENT, consent("subscribed", "2026-01-01T23:00:00Z"))
    process_all()
    assert Subscription.objects.get().state == "unsubscribed"
    assert Suppression.objects.get().lifted_at is None
    assert StoreDelivery.objects.get().outcome == "Consent is not newer than what is known: not changed."


def test_pending_and_never_asked_are_not_subscribed() -> None:
    store = make_store()
    deliver(store, CONSENT, consent("not_subscribed", None))
    process_all()
    assert not Subscription.objects.exists()
    deliver(store, CONSENT, consent("pending", "2025-12-01T00:00:00Z"))
    process_all()
    assert Subscription.objects.get().state == "unconfirmed"


def test_a_clock_that_runs_ahead_does_not_outrank_us_later() -> None:
    store = make_store()
    deliver(store, CONSENT, consent("subscribed", "2030-01-01T00:00:00Z"))
    process_all()
    assert Subscription.objects.get().consent_at == LATER


def test_a_deleted_customer_stays_a_contact_without_the_stores_consent() -> None:
    store = make_store()
    deliver(store, "customers/create", customer())
    deliver(store, CONSENT, consent("subscribed", "2025-12-01T00:00:00Z"))
    deliver(store, "customers/delete", {"id": 706405506930370084}, X_Shopify_Triggered_At="2026-01-01T12:00:00Z")
    deliver(store, "customers/update", customer("2026-01-01T11:00:00Z", first_name="Late"))
    process_all()
    assert Contact.objects.get().first_name == "Alice"
    assert Subscription.objects.get().state == "unsubscribed"
    assert ContactIdentity.objects.get().contact is None


def test_a_delete_that_comes_first_keeps_an_older_create_out() -> None:
    store = make_store()
    deliver(store, "customers/delete", {"id": 706405506930370084}, X_Shopify_Triggered_At="2026-01-01T12:00:00Z")
    deliver(store, "customers/create", customer())
    deliver(store, CONSENT, consent("subscribed", "2025-12-01T00:00:00Z"))
    process_all()
    assert not Contact.objects.exists()


def test_redaction_erases_and_blocks_a_return() -> None:
    store = make_store()
    deliver(store, "customers/create", customer())
    deliver(store, CONSENT, consent("subscribed", "2025-12-01T00:00:00Z"))
    process_all()
    redact = {"customer": {"id": 706405506930370084, "email": "alice@example.com"}, "orders_to_redact": []}
    deliver(store, "customers/redact", redact)
    deliver(store, "customers/create", customer("2026-01-01T13:00:00Z"))
    process_all()
    assert not Contact.objects.exists()
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.reason) == ("", "erased")
    event = ConsentEvent.objects.get()
    assert (event.contact_id, event.evidence) == (None, {})
    assert "asked to be erased" in StoreDelivery.objects.order_by("-pk")[0].outcome


def test_what_cannot_be_read_is_shown_with_its_reason_and_kept() -> None:
    store = make_store()
    deliver(store, "customers/create", b"not json")
    deliver(store, "customers/create", {"email": "alice@example.com"})
    deliver(store, CONSENT, {"customer_id": 1})
    deliver(store, "orders/create", {"id": 5})
    assert process_all() == 4
    rows = StoreDelivery.objects.order_by("pk")
    assert [(row.problem, row.outcome) for row in rows] == [
        ("The body is not JSON.", "Not readable."),
        ("The delivery has no id.", "Not readable."),
        ("The delivery has no email_marketing_consent.", "Not readable."),
        ("", "Topic orders/create is not used."),
    ]
    assert bytes(rows[0].body) == b"not json"


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    deliver(store, "customers/create", customer())
    StoreDelivery.objects.update(due_at=NOW)

    def broken(*args: Any, **kwargs: Any) -> str:
        raise RuntimeError("no luck")

    monkeypatch.setattr("contacts.stores.processing.apply_statement", broken)
    now = NOW
    for waits in (10, 20, 40, 80):
        assert process_next(now=now) is True
        delivery = StoreDelivery.objects.get()
        assert (delivery.due_at - now, delivery.processed_at) == (timedelta(seconds=waits), None)
        assert process_next(now=now) is False
        now = delivery.due_at
    assert process_next(now=now) is True
    delivery = StoreDelivery.objects.get()
    assert (delivery.outcome, delivery.problem) == ("Given up after 5 attempts.", "RuntimeError: no luck")


def test_two_workers_never_take_the_same_delivery(transactional_db: None) -> None:
    store = make_store()
    deliver(store, "customers/create", customer())
    StoreDelivery.objects.update(due_at=NOW)
    assert [process_next(now=LATER), process_next(now=LATER)] == [True, False]


def test_old_deliveries_are_forgotten() -> None:
    store = make_store()
    for _ in range(2):
        deliver(store, "x", {})
    first, second = StoreDelivery.objects.order_by("pk")
    StoreDelivery.objects.filter(pk=first.pk).update(received_at=NOW - timedelta(days=31))
    StoreDelivery.objects.filter(pk=second.pk).update(received_at=NOW - timedelta(days=29))
    forget_old_deliveries(now=NOW)
    assert [row.pk for row in StoreDelivery.objects.all()] == [second.pk]


def woo_customer(modified: str, **values: Any) -> dict[str, Any]:
    """A WooCommerce REST v3 customer."""
    defaults = {
        "id": 25,
        "date_created_gmt": "2025-11-01T00:00:00",
        "date_modified_gmt": modified,
        "email": "bob@example.com",
        "first_name": "",
        "last_name": "Jones",
        "billing": {"first_name": "Bob", "country": "FR", "city": "Paris", "phone": "0102030405"},
        "meta_data": [{"id": 1, "key": "newsletter_ok", "value": "yes"}],
    }
    return defaults | values


def test_a_woocommerce_customer_agrees_by_the_meta_key_of_the_store() -> None:
    store = make_store("woocommerce", consent_meta_key="newsletter_ok")
    deliver(store, "customer.created", woo_customer("2025-12-01T10:00:00"))
    process_all()
    bob = Contact.objects.get()
    assert (bob.first_name, bob.last_name, bob.country, bob.city) == ("Bob", "Jones", "FR", "Paris")
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.consent_at) == ("confirmed", datetime(2025, 12, 1, 10, tzinfo=UTC))
    no_longer = [{"id": 1, "key": "newsletter_ok", "value": "0"}]
    deliver(store, "customer.updated", woo_customer("2025-12-02T10:00:00", meta_data=no_longer))
    process_all()
    assert Subscription.objects.get().state == "unsubscribed"


def test_without_a_meta_key_woocommerce_subscribes_nobody_and_takes_nobody_off() -> None:
    store = make_store("woocommerce")
    bob = make_contact("bob@example.com")
    subscribe(bob, store.mailing_list)
    no_meta = [{"id": 1, "key": "newsletter_ok", "value": "0"}]
    deliver(store, "customer.updated", woo_customer("2025-12-31T23:00:00", meta_data=no_meta))
    process_all()
    assert Subscription.objects.get().state == "confirmed"


def test_woocommerces_no_takes_back_only_what_the_store_gave() -> None:
    store = make_store("woocommerce", consent_meta_key="newsletter_ok")
    subscribe(make_contact("bob@example.com"), store.mailing_list, source="page")
    refused = [{"id": 1, "key": "newsletter_ok", "value": ""}]
    deliver(store, "customer.updated", woo_customer("2025-12-31T23:00:00", meta_data=refused))
    process_all()
    assert Subscription.objects.get().state == "confirmed"


def test_woocommerce_duplicates_are_told_by_topic_id_and_time() -> None:
    store = make_store("woocommerce")
    first = woo_customer("2025-12-01T10:00:00")
    answers = [
        deliver(store, "customer.updated", first).content,
        deliver(store, "customer.updated", first, X_WC_Webhook_Delivery_ID="other").content,
        deliver(store, "customer.updated", first | {"date_modified_gmt": "2025-12-01T10:00:01"}).content,
        deliver(store, "customer.created", first).content,
        deliver(store, "customer.deleted", {"id": 25}).content,
        deliver(store, "customer.deleted", {"id": 25}).content,
    ]
    known, stored = b'{"status": "known"}', b'{"status": "stored"}'
    assert answers == [stored, known, stored, stored, stored, known]
