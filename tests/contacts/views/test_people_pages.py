"""Contacts, lists, suppressions, fields, keys and stores in the admin."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from contacts.models import ApiKey, Contact, ContactField, Subscription, Suppression
from contacts.queries import find_api_key
from contacts.stores.models import Store, StoreDelivery
from tests.contacts.factories import NOW, address, make_brand, make_contact, make_list, subscribe

pytestmark = pytest.mark.django_db


def suppress(text: str = "dave@example.com") -> Suppression:
    """A suppression that holds everywhere."""
    found = address(text)
    return Suppression.objects.create(
        address_key=found.key, address=found.address, reason="complaint", source="webhook"
    )


def test_the_audience_is_searched_by_what_address_or_name_begins_with(admin_client: Client) -> None:
    make_contact("alice@example.com", first_name="Alice", last_name="Zander")
    make_contact("bob@example.com", first_name="Bob", last_name="Alvarez")
    make_contact("carol@example.com", first_name="Carol", last_name="Smith")

    def found(text: str) -> set[str]:
        page = admin_client.get("/admin/contacts/contact/", {"q": text}).content.decode()
        return set(re.findall(r"(\w+)@example\.com", page)) - {"admin"}

    assert found("ALI") == {"alice"}
    assert found("al") == {"alice", "bob"}
    assert found("smi") == {"carol"}
    assert found("nobody") == set()
    assert found("") == {"alice", "bob", "carol"}


def test_the_search_uses_an_index_for_each_alternative(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    from contacts.queries import search_contacts

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = search_contacts(Contact.objects.all(), "ali").explain()
    for index in ("one_contact_per_address", "contact_first_name_prefix", "contact_last_name_prefix"):
        assert index in plan


def test_the_audience_asks_the_same_number_of_queries_for_2_and_50_contacts(
    admin_client: Client, django_assert_num_queries: Any
) -> None:
    mailing_list = make_list()

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            subscribe(make_contact(f"user{number}@example.com"), mailing_list)

    fill(0, 2)
    admin_client.get("/admin/contacts/contact/")
    with django_assert_num_queries(7) as few:
        admin_client.get("/admin/contacts/contact/")
    fill(2, 50)
    with django_assert_num_queries(len(few.captured_queries)):
        page = admin_client.get("/admin/contacts/contact/")
    assert "user49@example.com" in page.content.decode()


def test_the_audience_is_narrowed_to_a_list(admin_client: Client) -> None:
    mailing_list = make_list()
    subscribe(make_contact("alice@example.com"), mailing_list)
    subscribe(make_contact("carol@example.com"), mailing_list, "unsubscribed")
    page = admin_client.get("/admin/contacts/contact/", {"list": mailing_list.pk}).content.decode()
    assert "alice@example.com" in page
    assert "carol@example.com" not in page


def test_a_contact_is_added_once_and_subscribed_to_nothing(admin_client: Client) -> None:
    form = {"email": "Alice <Alice@Example.com>", "first_name": "Alice", "country": "Germany"}
    response = admin_client.post("/admin/contacts/contact/add/", form)
    alice = Contact.objects.get()
    assert response["Location"] == f"/admin/contacts/contact/{alice.pk}/change/"
    assert (alice.email, alice.address, alice.country) == ("Alice@Example.com", "alice@example.com", "DE")
    again = admin_client.post("/admin/contacts/contact/add/", {"email": "alice@example.com"})
    assert "There is a contact with this address already." in again.content.decode()
    assert not Subscription.objects.exists()


def test_a_contact_page_shows_everything_and_changes_fields(admin_client: Client) -> None:
    ContactField.objects.create(key="points", label="Points", kind="number")
    ContactField.objects.create(key="vip", label="VIP", kind="boolean")
    alice = make_contact(first_name="Alice", city="Rome", fields={"points": 3, "kept": "x"})
    mailing_list = make_list()
    subscribe(alice, mailing_list)
    suppress("alice@example.com")
    address_of_page = f"/admin/contacts/contact/{alice.pk}/change/"
    page = admin_client.get(address_of_page).content.decode()
    for words in ("Newsletter", "Complaint", "Suppressed", "Consent history", 'value="3"'):
        assert words in page
    form = {"email": "alice@new.example", "first_name": "Alicia", "field_points": "4,5", "field_vip": "yes"}
    assert admin_client.post(address_of_page, form).status_code == 302
    alice.refresh_from_db()
    assert (alice.address, alice.first_name, alice.city) == ("alice@new.example", "Alicia", "")
    assert alice.fields == {"points": 4.5, "vip": True, "kept": "x"}
    wrong = admin_client.post(address_of_page, form | {"field_points": "many", "country": "Atlantis"})
    assert "It is not a number." in wrong.content.decode()
    assert "No country of that name" in wrong.content.decode()


def test_an_address_that_somebody_else_has_is_refused(admin_client: Client) -> None:
    alice, _ = make_contact(), make_contact("bob@example.com")
    page = admin_client.post(f"/admin/contacts/contact/{alice.pk}/change/", {"email": "bob@example.com"})
    assert "Another contact has the address bob@example.com." in page.content.decode()


def test_a_person_joins_and_leaves_a_list_by_buttons_that_need_post(admin_client: Client) -> None:
    alice, mailing_list = make_contact(), make_list()
    base = f"/admin/contacts/contact/{alice.pk}"
    leave = f"{base}/leave/{mailing_list.pk}/"
    assert [admin_client.get(path).status_code for path in (f"{base}/join/", leave)] == [405, 405]
    admin_client.post(f"{base}/join/", {"mailing_list": mailing_list.pk, "note": ""})
    assert not Subscription.objects.exists()
    admin_client.post(f"{base}/join/", {"mailing_list": mailing_list.pk, "note": "by phone"})
    assert Subscription.objects.get().state == "confirmed"
    assert alice.consent_events.get().evidence["note"] == "by phone"
    admin_client.post(leave)
    assert Subscription.objects.get().state == "unsubscribed"


def test_erasing_asks_first(admin_client: Client) -> None:
    alice = make_contact()
    path = f"/admin/contacts/contact/{alice.pk}/erase/"
    assert "Erase for good" in admin_client.get(path).content.decode()
    assert Contact.objects.exists()
    admin_client.post(path)
    assert not Contact.objects.exists()
    assert Suppression.objects.get().reason == "erased"


def test_lists_show_counts_with_the_same_number_of_queries(
    admin_client: Client, django_assert_num_queries: Any
) -> None:
    brand = make_brand()
    mailing_list = make_list(brand)
    subscribe(make_contact("alice@example.com"), mailing_list)
    subscribe(make_contact("bob@example.com"), mailing_list, "unconfirmed")
    admin_client.get("/admin/contacts/mailinglist/")
    with django_assert_num_queries(8) as few:
        page = admin_client.get("/admin/contacts/mailinglist/").content.decode()
    assert f'href="/admin/contacts/contact/?list={mailing_list.pk}">1</a>' in page
    for number in range(20):
        make_list(brand, f"List {number}")
    with django_assert_num_queries(len(few.captured_queries)):
        admin_client.get("/admin/contacts/mailinglist/")


def test_an_address_is_suppressed_by_hand_and_lifted_with_a_note(admin_client: Client) -> None:
    form = {"email": "Dave@Example.com", "reason": "manual", "note": "asked by letter"}
    admin_client.post("/admin/contacts/suppression/add/", form)
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.evidence["note"]) == ("dave@example.com", "asked by letter")
    page = f"/admin/contacts/suppression/{suppression.pk}/change/"
    admin_client.post(page, {"note": " "})
    suppression.refresh_from_db()
    assert suppression.lifted_at is None
    admin_client.post(page, {"note": "asked to come back"})
    suppression.refresh_from_db()
    assert suppression.lifted_at is not None
    assert (suppression.lift_note, str(suppression.lifted_by)) == ("asked to come back", "admin")
    assert "asked to come back" in admin_client.get(page).content.decode()


def test_a_file_of_addresses_is_suppressed(admin_client: Client) -> None:
    suppress("dave@example.com")
    file = SimpleUploadedFile(
        "x.csv", b"name,mail\nDave,DAVE@example.com\nErin,erin@example.com\n?,nobody\nE,Erin@example.com\n"
    )
    page = admin_client.post(
        "/admin/contacts/suppression/file/", {"file": file, "reason": "unsubscribed"}, follow=True
    ).content.decode()
    assert "1 addresses get no more mail; 1 did not before." in page
    assert "1 rows hold no usable address" in page
    assert set(Suppression.objects.values_list("address", "reason")) == {
        ("dave@example.com", "complaint"),
        ("erin@example.com", "unsubscribed"),
    }


def test_suppressions_are_found_by_address_even_when_erased(admin_client: Client) -> None:
    suppression = suppress()
    Suppression.objects.update(address="")
    for query, shown in (("Dave@example.com", True), ("erin@example.com", False), ("dave", False)):
        page = admin_client.get("/admin/contacts/suppression/", {"q": query}).content.decode()
        assert (f"/suppression/{suppression.pk}/change/" in page) is shown


def test_a_field_key_that_means_something_already_is_refused(admin_client: Client) -> None:
    for key in ("email", "first_name", "consent", "Birthday", "birth-day", "1st"):
        page = admin_client.post("/admin/contacts/contactfield/add/", {"key": key, "label": "X", "kind": "text"})
        assert page.status_code == 200, key
    admin_client.post("/admin/contacts/contactfield/add/", {"key": "birthday", "label": "Birthday", "kind": "date"})
    assert ContactField.objects.get().key == "birthday"
    field = ContactField.objects.get()
    admin_client.post(f"/admin/contacts/contactfield/{field.pk}/change/", {"label": "Born", "key": "x", "kind": "text"})
    field.refresh_from_db()
    assert (field.key, field.label, field.kind) == ("birthday", "Born", "date")


def test_an_api_key_is_shown_exactly_once(admin_client: Client) -> None:
    brand = make_brand()
    form = {"brand": brand.pk, "name": "shop server"}
    made = admin_client.post("/admin/contacts/apikey/add/", form)
    text = re.search(r'value="(ff_\w{8}_[\w-]{43})"', made.content.decode())
    assert text is not None
    assert "no-store" in made["Cache-Control"]
    key = find_api_key(text[1])
    assert key is not None
    for path in ("/admin/contacts/apikey/", f"/admin/contacts/apikey/{key.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert key.prefix in page
        assert text[1].rpartition("_")[2] not in page
    revoke = f"/admin/contacts/apikey/{key.pk}/revoke/"
    assert admin_client.get(revoke).status_code == 405
    admin_client.post(revoke)
    assert ApiKey.objects.get().revoked_at is not None


def test_a_store_is_made_with_a_secret_that_never_comes_out(admin_client: Client) -> None:
    mailing_list = make_list()
    form = {
        "brand": mailing_list.brand_id,
        "platform": "shopify",
        "name": "Shop",
        "domain": "my-shop.myshopify.com",
        "mailing_list": mailing_list.pk,
        "enabled": "on",
    }
    path = "/admin/stores/store/add/"
    assert "This field is required." in admin_client.post(path, form).content.decode()
    admin_client.post(path, form | {"webhook_secret": "first-secret"})
    store = Store.objects.get()
    assert store.secrets == {"webhook_secret": "first-secret", "old_webhook_secret": ""}
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM stores_store")
        assert b"first-secret" not in bytes(cursor.fetchone()[0])
    page_path = f"/admin/stores/store/{store.pk}/change/"
    page = admin_client.get(page_path).content.decode()
    assert f"/hooks/stores/{store.uuid}" in page
    assert "first-secret" not in page
    admin_client.post(page_path, form | {"name": "Renamed"})
    admin_client.post(page_path, form | {"webhook_secret": "second"})
    store.refresh_from_db()
    assert (store.name, store.secrets) == ("Shop", {"webhook_secret": "second", "old_webhook_secret": "first-secret"})
    admin_client.post(page_path, form | {"end_old_secret": "on"})
    store.refresh_from_db()
    assert store.secrets == {"webhook_secret": "second"}


def test_a_woocommerce_secret_must_survive_wordpress(admin_client: Client) -> None:
    mailing_list = make_list()
    form = {
        "brand": mailing_list.brand_id,
        "platform": "woocommerce",
        "name": "Shop",
        "domain": "shop.example",
        "mailing_list": mailing_list.pk,
        "webhook_secret": "a&b",
    }
    assert "WordPress changes" in admin_client.post("/admin/stores/store/add/", form).content.decode()
    other = make_list(make_brand("Sister"), "Other")
    page = admin_client.post("/admin/stores/store/add/", form | {"webhook_secret": "ab", "mailing_list": other.pk})
    assert "This list belongs to another brand." in page.content.decode()
    assert not Store.objects.exists()


def test_a_store_shows_its_last_deliveries_and_tries_a_failed_one_again(admin_client: Client) -> None:
    mailing_list = make_list()
    store = Store.objects.create(
        brand=mailing_list.brand, platform="shopify", name="Shop", domain="x", mailing_list=mailing_list, secrets={}
    )
    for number in range(21):
        StoreDelivery.objects.create(
            store=store, delivery_key=str(number), topic=f"topic-{number:02}", body=b"{}", processed_at=NOW
        )
    StoreDelivery.objects.filter(topic="topic-20").update(problem="no luck")
    page = admin_client.get(f"/admin/stores/store/{store.pk}/change/").content.decode()
    assert ("topic-00" in page, "topic-01" in page, "no luck" in page) == (False, True, True)
    failed, fine = StoreDelivery.objects.get(topic="topic-20"), StoreDelivery.objects.get(topic="topic-19")
    for delivery in (failed, fine):
        path = f"/admin/stores/store/deliveries/{delivery.pk}/again/"
        assert admin_client.get(path).status_code == 405
        admin_client.post(path)
    failed.refresh_from_db()
    fine.refresh_from_db()
    assert (failed.processed_at, fine.processed_at) == (None, NOW)
    assert failed.due_at <= timezone.now() + timedelta(seconds=1)


def test_a_brand_with_lists_is_not_deleted(admin_client: Client) -> None:
    mailing_list = make_list()
    assert admin_client.get(f"/admin/contacts/brand/{mailing_list.brand_id}/change/").status_code == 200
    assert admin_client.get(f"/admin/contacts/brand/{mailing_list.brand_id}/delete/").status_code == 403


PAGES = (
    "contacts/contact",
    "contacts/mailinglist",
    "contacts/suppression",
    "contacts/contactfield",
    "contacts/brand",
    "contacts/apikey",
    "contacts/importjob",
    "stores/store",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_list_and_add_page_opens_when_there_is_nothing_yet(admin_client: Client, path: str) -> None:
    assert admin_client.get(f"/admin/{path}/").status_code == 200
    assert admin_client.get(f"/admin/{path}/add/").status_code == 200
