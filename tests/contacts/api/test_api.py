"""The API as a store's script meets it: keys, bulk profiles, consent, repetition, refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import ApiKey, ConsentEvent, Contact, ContactField, IdempotentRequest, Subscription, Suppression
from contacts.services import create_api_key, erase_contact, revoke_api_key, suppress_address
from tests.contacts.factories import NOW, address, make_brand, make_contact, make_list, subscribe

pytestmark = pytest.mark.django_db
BULK = "/api/v1/profiles/bulk"


class Script:
    """A client of the API with a key of the brand Blumenladen and its list Newsletter."""

    def __init__(self) -> None:
        self.brand = make_brand()
        self.mailing_list = make_list(self.brand)
        self.key, self.text = create_api_key(self.brand, "shop script")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        sent = {"Authorization": f"Bearer {self.text}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        content_type = sent.pop("Content-Type", "application/json")
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        response = Client().generic(method, path, data, content_type=content_type, headers=sent)
        return response.status_code, json.loads(response.content or b"null")

    def bulk(self, *profiles: Any, **headers: str) -> dict[str, Any]:
        """The accepted answer to some profiles."""
        status, answer = self.call("POST", BULK, {"profiles": profiles}, **headers)
        assert status == 200, answer
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def script() -> Script:
    """A script with a valid key."""
    return Script()


def agreed(at: str = "2025-12-01T00:00:00Z", state: str = "subscribed") -> dict[str, Any]:
    """Consent for the list Newsletter."""
    return {"lists": ["Newsletter"], "consent": {"state": state, "occurred_at": at, "source": "checkout"}}


def test_a_thousand_profiles_come_in_and_come_in_again_unchanged(script: Script) -> None:
    profiles = [
        {"external_id": n, "email": f"user{n}@example.com", "first_name": f"N{n}", **agreed()} for n in range(1000)
    ]
    answer = script.bulk(*profiles)
    counts = {name: value for name, value in answer.items() if name.startswith("n_")}
    assert counts == {"n_rows": 1000, "n_accepted": 1000, "n_created": 1000, "n_updated": 0, "n_consents": 1000}
    assert Subscription.objects.filter(state="confirmed").count() == 1000
    again = script.bulk(*profiles)
    counts = {name: value for name, value in again.items() if name.startswith("n_")}
    assert counts == {"n_rows": 1000, "n_accepted": 1000, "n_created": 0, "n_updated": 0, "n_consents": 0}
    assert again["profiles"] == answer["profiles"]
    assert ConsentEvent.objects.count() == 1000


def test_bad_rows_are_listed_and_the_rest_is_taken_in(script: Script) -> None:
    ContactField.objects.create(key="points", label="Points", kind="number")
    erase_contact(make_contact("gone@example.com"), source="admin", now=NOW)
    answer = script.bulk(
        {"email": "alice@example.com", "fields": {"points": "12"}},
        {"email": "nobody"},
        {"first_name": "No address"},
        {"external_id": "unknown"},
        {"email": "b@example.com", "fields": {"points": "many"}},
        {"email": "c@example.com", "fields": {"shoe": 43}},
        {"email": "d@example.com", "country": "Atlantis"},
        {"email": "e@example.com", "lists": ["Nowhere"], "consent": agreed()["consent"]},
        {"email": "f@example.com", "lists": ["Newsletter"]},
        {"email": "g@example.com", "consent": {"state": "subscribed", "occurred_at": "2025-12-01T00:00:00"}},
        {"email": "h@example.com", "shoe": 43},
        {"email": "Gone@Example.com"},
        "text",
        {"email": "i@example.com", "first_name": "\0"},
        {"email": "j@example.com", "consent": agreed()["consent"]},
    )
    assert (answer["n_rows"], answer["n_accepted"], answer["n_created"]) == (15, 1, 1)
    assert [(error["index"], error["field"]) for error in answer["errors"]] == [
        (1, "email"),
        (2, "email"),
        (3, "email"),
        (4, "fields.points"),
        (5, "fields.shoe"),
        (6, "country"),
        (7, "lists"),
        (8, "consent"),
        (9, "consent.occurred_at"),
        (10, ""),
        (11, "email"),
        (12, ""),
        (13, ""),
        (14, "lists"),
    ]
    assert answer["errors"][3]["error"] == "It is not a number."
    assert Contact.objects.get().fields == {"points": 12}


def test_absent_fields_stay_and_null_clears(script: Script) -> None:
    ContactField.objects.create(key="size", label="Size")
    make_contact(first_name="Alice", city="Rome", fields={"size": "M", "other": 1})
    answer = script.bulk({"email": "ALICE@example.com", "city": None, "last_name": "Smith", "fields": {"size": None}})
    assert (answer["n_created"], answer["n_updated"]) == (0, 1)
    alice = Contact.objects.get()
    assert (alice.first_name, alice.last_name, alice.city, alice.fields) == ("Alice", "Smith", "", {"other": 1})


def test_an_external_id_finds_the_person_after_a_change_of_address(script: Script) -> None:
    script.bulk({"external_id": 7, "email": "alice@example.com", **agreed()})
    alice = Contact.objects.get()
    script.bulk(
        {"external_id": "7", "email": "alice@new.example", "first_name": "Alice"}, {"external_id": 7, "city": "Rome"}
    )
    moved = Contact.objects.get()
    assert (moved.pk, moved.address, moved.first_name, moved.city) == (alice.pk, "alice@new.example", "Alice", "Rome")
    assert Subscription.objects.get().contact_id == alice.pk


def test_a_new_address_that_is_a_contact_already_is_that_person_from_now_on(script: Script) -> None:
    script.bulk({"external_id": 7, "email": "alice@example.com"}, {"external_id": 8, "email": "bob@example.com"})
    answer = script.bulk({"external_id": 7, "email": "bob@example.com", "first_name": "Bobby"})
    bob = Contact.objects.get(address="bob@example.com")
    assert answer["profiles"] == [{"index": 0, "id": str(bob.uuid)}]
    assert bob.first_name == "Bobby"
    assert Contact.objects.count() == 2


def test_an_older_row_changes_no_fields_but_its_consent_counts(script: Script) -> None:
    script.bulk({"external_id": 7, "email": "a@example.com", "first_name": "New", "updated_at": "2025-12-02T00:00:00Z"})
    script.bulk(
        {"external_id": 7, "first_name": "Old", "updated_at": "2025-12-01T00:00:00Z", **agreed("2025-11-01T00:00:00Z")}
    )
    assert Contact.objects.get().first_name == "New"
    assert Subscription.objects.get().state == "confirmed"


def test_rows_of_one_person_are_taken_in_their_order(script: Script) -> None:
    answer = script.bulk(
        {"email": "alice@example.com", "first_name": "One", **agreed("2025-12-01T00:00:00Z")},
        {"email": "Alice@example.com", "first_name": "Two", **agreed("2025-12-02T00:00:00Z", "unsubscribed")},
        {"email": "bob@example.com"},
    )
    assert (answer["n_accepted"], answer["n_created"], answer["n_updated"], answer["n_consents"]) == (3, 2, 1, 2)
    assert Contact.objects.get(address="alice@example.com").first_name == "Two"
    assert Subscription.objects.get().state == "unsubscribed"


def test_a_sync_never_undoes_a_local_unsubscribe(script: Script) -> None:
    alice, bob = make_contact(), make_contact("bob@example.com")
    subscribe(alice, script.mailing_list, "unsubscribed", source="one-click")
    subscribe(bob, script.mailing_list, "unsubscribed", source="api")
    later = agreed(timezone.now().isoformat())
    script.bulk({"email": "alice@example.com", **later}, {"email": "bob@example.com", **later})
    states = dict(Subscription.objects.values_list("contact__address", "state"))
    assert states == {"alice@example.com": "unsubscribed", "bob@example.com": "confirmed"}


def test_unsubscribed_without_lists_leaves_every_list_of_the_brand(script: Script) -> None:
    alice = make_contact()
    other_brand = make_list(make_brand("Sister"), "Other")
    for mailing_list in (script.mailing_list, make_list(script.brand, "Offers"), other_brand):
        subscribe(alice, mailing_list)
    consent = {"state": "unsubscribed", "occurred_at": "2026-01-02T00:00:00Z"}
    assert script.bulk({"email": "alice@example.com", "consent": consent})["n_consents"] == 2
    assert list(Subscription.objects.filter(state="confirmed").values_list("mailing_list__name", flat=True)) == [
        "Other"
    ]


def test_a_list_of_another_brand_is_unknown_to_the_key(script: Script) -> None:
    other = make_list(make_brand("Sister"), "Other")
    answer = script.bulk({"email": "alice@example.com", **agreed(), "lists": [other.pk]})
    assert answer["errors"] == [{"index": 0, "field": "lists", "error": f"The key's brand has no list {other.pk}."}]
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ff_aaaaaaaa_secret", "Bearer x", "Basic eDp5"])
def test_without_a_valid_key_it_is_401(script: Script, authorization: str) -> None:
    status, answer = script.call("POST", BULK, {"profiles": []}, Authorization=authorization)
    assert (status, answer["code"]) == (401, "unauthorized")


def test_a_wrong_secret_behind_a_right_prefix_is_401(script: Script) -> None:
    status, _ = script.call("GET", "/api/v1/lists", Authorization=f"Bearer ff_{script.key.prefix}_guess")
    assert status == 401


def test_a_revoked_or_expired_key_is_403(script: Script) -> None:
    revoke_api_key(script.key, now=NOW)
    status, answer = script.call("GET", "/api/v1/lists")
    assert (status, answer) == (403, {"error": "This API key has been revoked.", "code": "forbidden"})
    ApiKey.objects.update(revoked_at=None, expires_at=NOW)
    assert script.call("GET", "/api/v1/lists")[1]["error"] == "This API key has expired."


def test_the_secret_is_nowhere_in_the_database(script: Script) -> None:
    key = ApiKey.objects.get()
    secret = script.text.rpartition("_")[2]
    assert len(key.secret_hash) == 128
    assert secret not in str(ApiKey.objects.values())


def test_too_large_and_wrongly_typed_requests_are_refused(script: Script) -> None:
    many: dict[str, Any] = {"profiles": [{}] * 1001}
    assert script.call("POST", BULK, many)[0] == 413
    assert script.call("POST", BULK, b" " * (5 * 1024 * 1024 + 1))[0] == 413
    status, answer = script.call("POST", BULK, "email=a", Content_Type="application/x-www-form-urlencoded")
    assert (status, answer["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body", [b" ", b"{", b"[]", b'{"profiles": 1}', b'{"people": []}', b"\xff", b'{"profiles": [\xff]}']
)
def test_a_body_of_another_form_is_422(script: Script, body: bytes) -> None:
    status, answer = script.call("POST", BULK, body)
    assert (status, answer["code"]) == (422, "invalid")


def test_a_repeated_key_with_the_same_body_gets_the_first_answer(script: Script) -> None:
    first = script.bulk({"email": "alice@example.com"}, Idempotency_Key="k1")
    Contact.objects.all().delete()
    assert script.bulk({"email": "alice@example.com"}, Idempotency_Key="k1") == first
    assert not Contact.objects.exists()
    assert script.bulk({"email": "alice@example.com"}, Idempotency_Key="k2")["n_created"] == 1


def test_a_repeated_key_with_another_body_is_422(script: Script) -> None:
    script.bulk({"email": "alice@example.com"}, Idempotency_Key="k1")
    status, answer = script.call("POST", BULK, {"profiles": [{"email": "bob@example.com"}]}, Idempotency_Key="k1")
    assert (status, answer["error"]) == (422, "This Idempotency-Key was used with another body.")
    assert Contact.objects.count() == 1


def test_a_key_whose_request_is_still_running_is_409_until_its_worker_must_be_dead(script: Script) -> None:
    script.bulk({"email": "alice@example.com"}, Idempotency_Key="k1")
    body = {"profiles": [{"email": "alice@example.com"}]}
    IdempotentRequest.objects.update(status=None, response=None)
    assert script.call("POST", BULK, body, Idempotency_Key="k1")[0] == 409
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert script.call("POST", BULK, body, Idempotency_Key="k1")[0] == 200


def test_answers_are_forgotten_after_a_day_and_keys_of_two_scripts_do_not_meet(script: Script) -> None:
    script.bulk({"email": "alice@example.com"}, Idempotency_Key="k1")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    script.bulk({"email": "bob@example.com"}, Idempotency_Key="k1")
    _, script.text = create_api_key(script.brand, "second")
    script.bulk({"email": "carol@example.com"}, Idempotency_Key="k1")
    assert Contact.objects.count() == 3


def test_a_profile_can_be_read(script: Script) -> None:
    alice = make_contact(first_name="Alice", fields={"size": "M"})
    subscribe(alice, script.mailing_list, consent_at=NOW)
    subscribe(alice, make_list(make_brand("Sister"), "Other"))
    status, answer = script.call("GET", f"/api/v1/profiles/{alice.uuid}")
    assert status == 200
    assert (answer["email"], answer["fields"], answer["suppressed"]) == ("alice@example.com", {"size": "M"}, False)
    assert answer["subscriptions"] == [
        {
            "list_id": script.mailing_list.pk,
            "list": "Newsletter",
            "state": "subscribed",
            "since": "2026-01-01T00:00:00Z",
        }
    ]
    found = address("alice@example.com")
    suppress_address(found.key, found.address, reason="complaint", source="webhook", evidence={}, now=NOW)
    assert script.call("GET", f"/api/v1/profiles/{alice.uuid}")[1]["suppressed"] is True
    assert script.call("GET", f"/api/v1/profiles/{uuid4()}")[0] == 404


def test_lists_are_the_brands_own(script: Script) -> None:
    make_list(make_brand("Sister"), "Other")
    expected = [{"id": script.mailing_list.pk, "name": "Newsletter", "description": ""}]
    assert script.call("GET", "/api/v1/lists") == (200, expected)


def test_unsubscribe_by_address_or_external_id(script: Script) -> None:
    script.bulk({"external_id": 7, "email": "alice@example.com", **agreed()})
    path = "/api/v1/unsubscribe"
    assert script.call("POST", path, {"external_id": 7}) == (200, {"n_unsubscribed": 1})
    assert Subscription.objects.get().state == "unsubscribed"
    assert script.call("POST", path, {"email": "nobody@example.com"})[0] == 404
    assert script.call("POST", path, {"email": "alice@example.com", "lists": ["Nowhere"]})[0] == 422
    assert script.call("POST", path, {"email": 5})[0] == 422
    assert not Suppression.objects.exists()


def test_openapi_and_its_page_describe_the_bulk_endpoint_without_leaving_the_host(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    bulk = schema["paths"]["/api/v1/profiles/bulk"]["post"]
    row = bulk["requestBody"]["content"]["application/json"]["schema"]["properties"]["profiles"]["items"]
    assert row["properties"]["consent"]["anyOf"][0]["required"] == ["state", "occurred_at"]
    assert set(bulk["responses"]) == {"200", "401", "403", "409", "413", "415", "422"}
    page = client.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "https://" not in page.replace("https://www.w3.org", "")


def test_reading_changes_nothing(script: Script) -> None:
    before = list(Contact.objects.values())
    for path in ("/api/v1/unsubscribe", BULK):
        assert Client().get(path, headers={"Authorization": f"Bearer {script.text}"}).status_code == 405
    assert list(Contact.objects.values()) == before
