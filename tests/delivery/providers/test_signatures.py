"""A webhook call is believed only with its proof: right, forged, cut short, under the old secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from delivery.providers import PROVIDERS, Network, Provider, WebhookRequest
from tests.delivery.providers.receipt_bodies import GENERIC_FORM

URL = "https://shop.example/hooks/abc/?secret=right-secret"
BODY = b'{"event": "delivered", "email": "alice@example.com"}'
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def hexmac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def mailgun() -> WebhookRequest:
    block = {"timestamp": "1529006854", "token": "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"}
    signature = hexmac("right-secret", (block["timestamp"] + block["token"]).encode())
    return WebhookRequest(
        URL, json.dumps({"signature": {**block, "signature": signature}, "event-data": {}}).encode(), {}
    )


def svix() -> WebhookRequest:
    key = base64.b64decode("cmlnaHQtc2VjcmV0")
    signed = b"msg_1.1614265330." + BODY
    given_ = "v1,bm9wZQ== v1," + b64(hmac.new(key, signed, hashlib.sha256).digest())
    return WebhookRequest(URL, BODY, {"Svix-Id": "msg_1", "svix-timestamp": "1614265330", "svix-signature": given_})


def mandrill() -> WebhookRequest:
    signed = URL + "mandrill_events[]"
    signature = b64(hmac.new(b"right-secret", signed.encode(), hashlib.sha1).digest())
    return WebhookRequest(URL, b"mandrill_events=%5B%5D", {"X-Mandrill-Signature": signature})


def sendgrid() -> WebhookRequest:
    signature = EC_KEY.sign(b"1600112502" + BODY, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": b64(signature),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }
    return WebhookRequest(URL, BODY, headers)


def postal() -> WebhookRequest:
    signature = RSA_KEY.sign(BODY, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - what Postal 2 signs with
    return WebhookRequest(URL, BODY, {"X-Postal-Signature": b64(signature)})


def postal_3() -> WebhookRequest:
    strong = RSA_KEY.sign(BODY, padding.PKCS1v15(), hashes.SHA256())
    return WebhookRequest(URL, BODY, {"X-Postal-Signature-256": b64(strong), "X-Postal-Signature": "bm9wZQ=="})


def unisender() -> WebhookRequest:
    empty = '{"auth":"%s","events_by_user":[]}'
    auth = hashlib.md5((empty % "right-secret").encode()).hexdigest()  # noqa: S324 - their scheme
    return WebhookRequest(URL, (empty % auth).encode(), {})


def with_header(name: str, value: str) -> WebhookRequest:
    return WebhookRequest(URL, BODY, {name: value})


@dataclass(frozen=True)
class Case:
    kind: str
    request: Callable[[], WebhookRequest]
    secret: str = "right-secret"
    covers_body: bool = True


CASES = [
    Case("mailgun", mailgun, covers_body=False),
    Case("resend", svix, "whsec_cmlnaHQtc2VjcmV0"),
    Case("mandrill", mandrill),
    Case("sendgrid", sendgrid, public(EC_KEY)),
    Case("postal", postal, public(RSA_KEY)),
    Case("postal", postal_3, public(RSA_KEY)),
    Case("unisender_go", unisender),
    Case("mailersend", lambda: with_header("Signature", hexmac("right-secret", BODY))),
    Case("mailtrap", lambda: with_header("Mailtrap-Signature", hexmac("right-secret", BODY))),
    Case(
        "postmark", lambda: with_header("Authorization", "Basic " + b64(b"user:right")), "user:right", covers_body=False
    ),
    Case(
        "mailjet", lambda: with_header("authorization", "Basic " + b64(b"user:right")), "user:right", covers_body=False
    ),
    Case(
        "sparkpost",
        lambda: with_header("Authorization", "basic " + b64(b"user:right")),
        "user:right",
        covers_body=False,
    ),
    Case("brevo", lambda: with_header("Authorization", "Bearer right-secret"), covers_body=False),
    Case("generic_http", lambda: WebhookRequest(URL, BODY, {}), covers_body=False),
    Case("generic_http", lambda: with_header("Authorization", "Bearer right-secret"), covers_body=False),
    Case("tencent", lambda: WebhookRequest(URL, BODY, {}), covers_body=False),
    Case("alibaba", lambda: with_header("x-eventbridge-signature-token", "right-secret"), covers_body=False),
]
IDS = [f"{case.kind}-{n}" for n, case in enumerate(CASES)]
ANSWERS = {
    "access_key_id": "a", "secret_id": "a", "sender_domain": "mg.example.com", "api_url": "https://postal.example",
    **GENERIC_FORM,
}  # fmt: skip


def provider(kind: str) -> Provider:
    credentials = {field.name: "unused-secret" for field in PROVIDERS[kind].fields if field.secret}
    settings = {
        field.name: field.default or ANSWERS.get(field.name, "1")
        for field in PROVIDERS[kind].fields
        if not field.secret
    }
    return PROVIDERS[kind].build(settings, credentials, Network.PUBLIC)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_call_with_its_proof_is_believed(case: Case) -> None:
    assert provider(case.kind).verify(case.request(), [case.secret])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_old_and_new_secret_both_hold_while_they_rotate(case: Case) -> None:
    assert provider(case.kind).verify(case.request(), ["other:secret", "", case.secret])
    assert provider(case.kind).verify(case.request(), [case.secret, "other:secret"])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_call_under_another_secret_is_forged(case: Case) -> None:
    others = ["wrong-secret", "whsec_d3Jvbmc=", "user:wrong", public(rsa.generate_private_key(65537, 2048)), "", "ü€"]
    assert not provider(case.kind).verify(case.request(), others)
    assert not provider(case.kind).verify(case.request(), [])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_call_without_proof_is_forged(case: Case) -> None:
    bare = WebhookRequest("https://shop.example/hooks/abc/", BODY, {})
    assert not provider(case.kind).verify(bare, [case.secret])


@pytest.mark.parametrize("case", [case for case in CASES if case.covers_body], ids=lambda case: case.kind)
def test_a_changed_body_is_forged(case: Case) -> None:
    request = case.request()
    assert not provider(case.kind).verify(replace(request, body=request.body + b" "), [case.secret])


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
@given(body=st.binary(max_size=80), value=st.text(max_size=40))
def test_no_call_breaks_the_check(kind: str, body: bytes, value: str) -> None:
    names = (
        "Authorization", "Signature", "Mailtrap-Signature", "svix-signature", "X-Mandrill-Signature",
        "X-Postal-Signature", "X-Postal-Signature-256", "X-Twilio-Email-Event-Webhook-Signature",
        "x-eventbridge-signature-token",
    )  # fmt: skip
    request = WebhookRequest("https://shop.example/?secret=" + value, body, dict.fromkeys(names, value))
    assert not provider(kind).verify(request, ["a-secret-that-nobody-sent", public(RSA_KEY), public(EC_KEY)])


def test_a_signature_of_lone_surrogates_is_only_wrong() -> None:
    body = b'{"signature": {"timestamp": "1", "token": "t", "signature": "\\ud800"}}'
    assert not provider("mailgun").verify(WebhookRequest(URL, body, {}), ["right-secret"])


def test_a_weak_signature_does_not_help_where_a_strong_one_is_wrong() -> None:
    request = replace(postal(), headers={**postal().headers, "X-Postal-Signature-256": "bm9wZQ=="})
    assert not provider("postal").verify(request, [public(RSA_KEY)])


def test_providers_without_webhooks_believe_nothing() -> None:
    for kind in ("scaleway", "aoksend"):
        assert not provider(kind).verify(WebhookRequest(URL, BODY, {}), ["right-secret"])
