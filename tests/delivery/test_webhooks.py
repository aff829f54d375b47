"""The address that providers report to: proved calls are stored at once, others refused and counted."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client

from delivery import hook_secrets
from delivery.models import HookRefusal, ProviderAccount, Receipt
from delivery.providers.contract import Proof, ProofUnavailableError
from delivery.services import hooks
from delivery.webhooks import MAX_BODY

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BODY = b'{"type": "activity.delivered", "data": {}}'
SECRET = "right-secret"


def account_of(kind: str = "mailersend", secret: str = SECRET, **fields: Any) -> ProviderAccount:
    account, _ = ProviderAccount.objects.get_or_create(
        name=kind, kind=kind, defaults={"secrets": {"api_token": "t", "api_key": "k", "server_token": "s"}, **fields}
    )
    account.hook_secrets = hook_secrets.rotated(account.hook_secrets, secret, NOW) if secret else {}
    account.save()
    return account


def path_of(account: ProviderAccount) -> str:
    return hooks.hook_address(account).removeprefix("http://127.0.0.1:8000")


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def post(client: Client, account: ProviderAccount, body: bytes = BODY, **headers: str) -> int:
    found = {**signed(body), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(path_of(account), body, content_type="application/json", headers=found).status_code


def refusals() -> dict[str, int]:
    return {refusal.reason: refusal.n_calls for refusal in HookRefusal.objects.all()}


def test_a_proved_call_is_stored_as_it_came_and_answered_at_once(client: Client) -> None:
    account = account_of()
    assert post(client, account, User_Agent="MailerSend/1") == 200
    receipt = Receipt.objects.get()
    assert (bytes(receipt.body), receipt.account, receipt.kind) == (BODY, account, "webhook")
    assert (receipt.processed_at, receipt.n_events, receipt.problem) == (None, 0, "")
    assert receipt.headers["user-agent"] == "MailerSend/1"
    assert refusals() == {}


def test_a_call_costs_two_statements(client: Client, django_assert_num_queries: Any) -> None:
    account = account_of()
    post(client, account)
    with django_assert_num_queries(2):  # the account with its secrets, the receipt
        assert post(client, account, b'{"type": "activity.opened"}') == 200
    assert Receipt.objects.count() == 2


def test_the_address_is_long_random_and_an_account_s_own() -> None:
    first, second = account_of(), account_of("mailtrap")
    assert len(first.hook_token) == 43
    assert first.hook_token != second.hook_token
    assert hooks.hook_address(first) == f"http://127.0.0.1:8000/hooks/mailersend/{first.hook_token}/"


def test_a_repeated_call_is_one_row_and_two_accounts_may_hear_the_same(client: Client) -> None:
    account = account_of()
    assert [post(client, account), post(client, account)] == [200, 200]
    assert Receipt.objects.count() == 1
    other = ProviderAccount.objects.create(
        name="second", kind="mailersend", secrets={"api_token": "t"}, hook_secrets={"current": SECRET}
    )
    assert post(client, other) == 200
    assert Receipt.objects.count() == 2


def test_secrets_of_a_call_are_not_stored(client: Client) -> None:
    account = account_of("postmark", "fanfare:s3cret")
    basic = "Basic " + base64.b64encode(b"fanfare:s3cret").decode()
    assert post(client, account, Authorization=basic) == 200
    assert "authorization" not in Receipt.objects.get().headers


def test_a_forged_call_is_refused_and_counted(client: Client) -> None:
    account = account_of()
    assert post(client, account, Signature="00" * 32) == 401
    assert post(client, account, Signature="") == 401
    assert refusals() == {"not_proved": 2}
    assert not Receipt.objects.exists()


def test_the_secret_of_another_account_proves_nothing(client: Client) -> None:
    account = account_of()
    ProviderAccount.objects.create(
        name="second", kind="mailersend", secrets={"api_token": "t"}, hook_secrets={"current": "theirs"}
    )
    assert post(client, account, BODY, **signed(BODY, "theirs")) == 401
    assert refusals() == {"not_proved": 1}


def test_an_account_without_a_secret_believes_nobody(client: Client) -> None:
    account = account_of(secret="")
    assert post(client, account, BODY, **signed(BODY, "")) == 401
    assert refusals() == {"no_secret": 1}


def test_old_and_new_secret_hold_for_a_week_of_rotation(client: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        account = account_of()
        account_of(secret="newer")
        assert post(client, account, b"1") == 200
        assert post(client, account, b"2", **signed(b"2", "newer")) == 200
    with time_machine.travel(NOW + timedelta(days=7, seconds=1), tick=False):
        assert post(client, account, b"3") == 401
        assert post(client, account, b"4", **signed(b"4", "newer")) == 200
    assert Receipt.objects.count() == 3


def test_rotation_is_a_matter_of_values() -> None:
    one = hook_secrets.rotated(None, "a", NOW)
    two = hook_secrets.rotated(one, "b", NOW)
    assert (one, hook_secrets.in_force(two, NOW)) == ({"current": "a"}, ["b", "a"])
    assert hook_secrets.rotated(two, "b", NOW) == two
    assert hook_secrets.overlap_ends(two, NOW) == NOW + hook_secrets.OVERLAP
    assert hook_secrets.in_force(two, NOW + hook_secrets.OVERLAP) == ["b"]
    assert hook_secrets.without_previous(two) == {"current": "b"}
    assert hook_secrets.in_force({}, NOW) == hook_secrets.in_force(None, NOW) == []
    assert hook_secrets.make_secret(Proof.BASIC_AUTH).startswith("fanfare:")
    assert hook_secrets.make_secret(Proof.SECRET_IN_URL) != hook_secrets.make_secret(Proof.SECRET_IN_URL)


def test_an_unknown_address_is_not_found_and_counted(client: Client) -> None:
    account = account_of()
    assert client.post(f"/hooks/mailersend/{'x' * 43}/", BODY, content_type="application/json").status_code == 404
    assert client.post(f"/hooks/mailtrap/{account.hook_token}/", BODY, content_type="text/plain").status_code == 404
    assert client.post(f"/hooks/scaleway/{account.hook_token}/", BODY, content_type="text/plain").status_code == 404
    assert client.post("/hooks/mailersend/short/", BODY, content_type="text/plain").status_code == 404
    counter = HookRefusal.objects.get()
    assert (counter.account, counter.reason, counter.n_calls) == (None, "unknown_address", 3)


def test_the_address_of_a_store_stays_a_store_s(client: Client) -> None:
    response = client.post("/hooks/stores/0b6c7c1e-5cbb-4ba9-9d3b-3a2cb9b3a0ff", BODY, content_type="text/plain")
    assert response.json() == {"error": "There is no such store."}


def test_a_lost_slash_does_no_harm(client: Client) -> None:
    account = account_of()
    path = path_of(account).rstrip("/")
    assert client.post(path, BODY, content_type="application/json", headers=signed(BODY)).status_code == 200


def test_only_posts_are_taken(client: Client) -> None:
    account = account_of()
    answer = client.get(path_of(account))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, HEAD")
    assert client.put(path_of(account), BODY).status_code == 405
    assert client.head(path_of(account)).status_code == 200
    assert refusals() == {"method": 2}


def test_no_csrf_token_is_asked_for() -> None:
    assert post(Client(enforce_csrf_checks=True), account_of()) == 200


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
        ("identity", BODY),
    ],
)
def test_a_compressed_call_is_stored_unpacked_whatever_its_signature_is_of(
    client: Client, encoding: str, packed: bytes
) -> None:
    account = account_of()
    for signature in (signed(BODY), signed(packed)):
        Receipt.objects.all().delete()
        assert post(client, account, packed, Content_Encoding=encoding, **signature) == 200
        assert bytes(Receipt.objects.get().body) == BODY


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", BODY), ("gzip", gzip.compress(BODY, mtime=0)[:-5]), ("br", BODY)]
)
def test_a_compression_that_cannot_be_read_is_said_so(client: Client, encoding: str, body: bytes) -> None:
    assert post(client, account_of(), body, Content_Encoding=encoding) == 415
    assert refusals() == {"encoding": 1}


def test_a_call_that_is_too_large_is_refused_packed_or_not(client: Client) -> None:
    account = account_of()
    assert post(client, account, b"x" * (MAX_BODY + 1)) == 413
    assert post(client, account, gzip.compress(bytes(MAX_BODY + 1)), Content_Encoding="gzip") == 413
    assert post(client, account, b"x" * MAX_BODY) == 200
    assert refusals() == {"too_large": 2}


def test_a_call_without_its_length_is_asked_for_it(client: Client) -> None:
    path = path_of(account_of())
    answer = client.generic("POST", path, b"", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    assert (answer.status_code, refusals()) == (411, {"no_length": 1})


def test_what_is_proved_is_stored_however_odd_it_is(client: Client) -> None:
    account = account_of()
    for body in (b"", b"\xff\xfe\x00", b"[" * 100_000, b'{"type":'):
        assert post(client, account, body) == 200
    assert Receipt.objects.count() == 4


def test_mandrill_may_look_whether_somebody_is_there_before_it_tells_its_key(client: Client) -> None:
    path = path_of(account_of("mandrill", ""))
    form = "application/x-www-form-urlencoded"
    assert client.post(path, b"mandrill_events=%5B%5D", content_type=form).status_code == 200
    assert client.post(path, b"mandrill_events=%5B%7B%7D%5D", content_type=form).status_code == 401
    assert not Receipt.objects.exists()


def test_amazon_is_asked_to_send_again_for_it_would_drop_the_message_after_401(
    client: Client, monkeypatch: Any
) -> None:
    settings = {"access_key_id": "a", "region": "eu-central-1"}
    account = account_of("amazon_ses", "arn:aws:sns:x", options=settings)
    account.secrets = {"secret_access_key": "s"}
    account.save()
    assert post(client, account) == 503

    def cannot_tell(*_: object) -> bool:
        raise ProofUnavailableError("no network")

    monkeypatch.setattr(hooks, "is_proved", cannot_tell)
    assert post(client, account) == 503
    assert refusals() == {"not_proved": 1, "proof_unavailable": 1}


def test_the_api_key_of_unisender_proves_its_calls(client: Client) -> None:
    account = account_of("unisender_go", "")
    empty = '{"auth":"%s","events_by_user":[]}'
    auth = hashlib.md5((empty % "k").encode()).hexdigest()  # noqa: S324 - their scheme
    assert post(client, account, (empty % auth).encode()) == 200
    assert post(client, account, (empty % ("0" * 32)).encode()) == 401


def test_settings_that_cannot_be_read_lose_nothing(client: Client, settings: Any) -> None:
    account = account_of()
    settings.FIELD_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(bytes(32)).decode()]
    assert post(client, account) == 503
    settings.FIELD_ENCRYPTION_KEYS = []
    assert post(client, account) == 503
    assert refusals() == {"settings": 2}


def test_a_database_that_cannot_store_is_told_to_the_sender(client: Client, monkeypatch: Any) -> None:
    account = account_of()

    def fails(*_: object) -> None:
        raise DatabaseError("read only")

    monkeypatch.setattr(hooks, "store_call", fails)
    assert post(client, account) == 503


def test_a_refusal_says_why_in_json(client: Client) -> None:
    account = account_of()
    answer = client.post(path_of(account), BODY, content_type="application/json")
    assert json.loads(answer.content) == {"error": "The call does not prove that it comes from the provider."}
