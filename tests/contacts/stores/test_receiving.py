"""Deliveries at the door: signed or not, repeated, too big, in pieces; stored once and answered at once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from contacts.models import Contact
from contacts.stores.models import Store, StoreDelivery
from contacts.stores.signatures import is_signed, sign
from tests.contacts.stores.delivering import customer, deliver, make_store

pytestmark = pytest.mark.django_db


def test_the_signature_is_the_one_shopify_and_woocommerce_document() -> None:
    assert sign("hush", '{"id":1,"name":"王"}'.encode()) == "gSTmsk7lLG0gU9H12Px+reG3TU+YqdrkbqBn7IoGhdU="
    assert not is_signed(b"{}", sign("", b"{}"), ["", ""])


def test_a_signed_delivery_is_stored_and_answered_before_anything_is_made_of_it() -> None:
    store = make_store()
    response = deliver(store, "customers/create", customer())
    assert (response.status_code, response.json()) == (200, {"status": "stored"})  # type: ignore[attr-defined]
    delivery = StoreDelivery.objects.get()
    assert (delivery.topic, delivery.processed_at) == ("customers/create", None)
    assert set(delivery.headers) == {"X-Shopify-Topic", "X-Shopify-Webhook-Id"}
    assert not Contact.objects.exists()


def test_a_repeated_delivery_is_stored_once() -> None:
    store = make_store()
    for _ in range(2):
        response = deliver(store, "customers/create", customer(), X_Shopify_Webhook_Id="one")
    assert response.content == b'{"status": "known"}'
    assert StoreDelivery.objects.count() == 1


def test_a_body_in_pieces_or_compressed_is_refused_in_words() -> None:
    store = make_store()
    compressed = deliver(store, "customers/create", customer(), Content_Encoding="gzip")
    assert (compressed.status_code, b"not compressed" in compressed.content) == (415, True)
    path = f"/hooks/stores/{store.uuid}"
    chunked = Client().generic("POST", path, headers={"Transfer-Encoding": "chunked"})
    assert (chunked.status_code, b"says its length" in chunked.content) == (411, True)
    assert not StoreDelivery.objects.exists()


def test_a_wrong_signature_is_401_and_stores_nothing() -> None:
    store = make_store()
    assert deliver(store, "customers/create", customer(), secret="guess").status_code == 401
    assert deliver(store, "customers/create", customer(), X_Shopify_Hmac_Sha256="").status_code == 401
    assert deliver(store, "customers/create", customer(), X_Shopify_Hmac_Sha256="é").status_code == 401
    assert not StoreDelivery.objects.exists()


def test_a_store_without_a_secret_believes_nobody() -> None:
    store = make_store(secrets=None)
    assert deliver(store, "customers/create", customer(), secret="").status_code == 401


def test_the_old_secret_holds_while_a_new_one_is_rolled_out() -> None:
    store = make_store(secrets={"webhook_secret": "new", "old_webhook_secret": "old"})
    assert [deliver(store, "x", {}, secret=secret).status_code for secret in ("new", "old", "older")] == [200, 200, 401]


def test_an_unknown_or_disabled_store_is_404_and_get_is_405() -> None:
    store = make_store(enabled=False)
    assert deliver(store, "customers/create", customer()).status_code == 404
    assert Client().post(f"/hooks/stores/{uuid4()}", data=b"{}", content_type="application/json").status_code == 404
    assert Client().get(f"/hooks/stores/{store.uuid}").status_code == 405


def test_a_delivery_above_five_megabytes_is_413() -> None:
    assert deliver(make_store(), "customers/create", b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    assert not StoreDelivery.objects.exists()


def ping(store: Store, body: str) -> int:
    """The status that WooCommerce's hello gets."""
    form = "application/x-www-form-urlencoded"
    return Client().post(f"/hooks/stores/{store.uuid}", data=body, content_type=form).status_code


def test_woocommerces_unsigned_ping_is_answered_and_not_stored() -> None:
    store = make_store("woocommerce")
    assert ping(store, "webhook_id=12") == 200
    assert ping(store, "webhook_id=12&id=3") == 401
    Store.objects.update(platform="shopify")
    assert ping(store, "webhook_id=12") == 401
    assert not StoreDelivery.objects.exists()
