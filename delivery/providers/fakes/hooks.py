"""Fakes that report back: each provider's webhook calls, proved in its documented way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from delivery.providers.sns import string_to_sign

from .hook_bodies import BODIES, Happening
from .merges import FakeUnisenderGo

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0000.pem"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
USER = "fanfare:s3cret"
WORD = "a-shared-secret"


@dataclass(frozen=True, slots=True)
class HookCall:
    """A webhook call; `query` belongs at the end of the address."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


def hook_call(happening: Happening, kind: str, address: str) -> HookCall:
    """The call with which a provider of this kind tells of something at an address."""
    told = BODIES[kind](happening)
    return _PROOFS[kind](told if isinstance(told, bytes) else json.dumps(told).encode(), address)


def hook_secret(kind: str) -> str:
    """What an account has to store to believe these calls; "" where its API key proves them."""
    return _SECRETS.get(kind, WORD)


def certificate(_url: str = CERTIFICATE_URL) -> bytes:
    """The fake Amazon's certificate, as its address would give it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA_KEY.public_key())
    built = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=36_500))
    return built.sign(RSA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """A public key as base64 DER."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _b64(der)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _hexmac(signed: bytes) -> str:
    return hmac.new(WORD.encode(), signed, hashlib.sha256).hexdigest()


def _basic(body: bytes, _address: str) -> HookCall:
    return HookCall(body, {"Authorization": f"Basic {_b64(USER.encode())}"})


def _in_url(body: bytes, _address: str) -> HookCall:
    return HookCall(body, query=f"?secret={WORD}")


def _header(name: str, value: Callable[[bytes], str]) -> Callable[[bytes, str], HookCall]:
    return lambda body, _address: HookCall(body, {name: value(body)})


def _mailgun(body: bytes, _address: str) -> HookCall:
    signature = {"timestamp": "1767268800", "token": hashlib.sha256(body).hexdigest()[:50]}
    signature["signature"] = _hexmac((signature["timestamp"] + signature["token"]).encode())
    return HookCall(json.dumps({"signature": signature, **json.loads(body)}).encode())


def _mandrill(body: bytes, address: str) -> HookCall:
    fields = sorted(parse_qsl(body.decode()))
    signed = address + "".join(name + value for name, value in fields)
    signature = _b64(hmac.new(WORD.encode(), signed.encode(), hashlib.sha1).digest())
    return HookCall(body, {"X-Mandrill-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"})


def _svix(body: bytes, _address: str) -> HookCall:
    identity = f"msg_{hashlib.sha256(body).hexdigest()[:20]}"
    signed = f"{identity}.1767268800.".encode() + body
    signature = f"v1,{_b64(hmac.new(WORD.encode(), signed, hashlib.sha256).digest())}"
    return HookCall(body, {"svix-id": identity, "svix-timestamp": "1767268800", "svix-signature": signature})


def _sendgrid(body: bytes, _address: str) -> HookCall:
    signature = _b64(EC_KEY.sign(b"1767268800" + body, ec.ECDSA(hashes.SHA256())))
    name = "X-Twilio-Email-Event-Webhook"
    return HookCall(body, {f"{name}-Signature": signature, f"{name}-Timestamp": "1767268800"})


def _postal(body: bytes, _address: str) -> HookCall:
    return HookCall(body, {"X-Postal-Signature-256": _b64(RSA_KEY.sign(body, padding.PKCS1v15(), hashes.SHA256()))})


def _unisender(body: bytes, _address: str) -> HookCall:
    """The API key of the fake's account stands in the place of the signature while it is made."""
    key = FakeUnisenderGo.credentials["api_key"].encode()
    auth = hashlib.md5(body.replace(b"%auth%", key)).hexdigest()  # noqa: S324 - their scheme
    return HookCall(body.replace(b"%auth%", auth.encode()))


def _sns(body: bytes, _address: str) -> HookCall:
    found: dict[str, object] = {
        "Type": "Notification",
        "MessageId": hashlib.sha256(body).hexdigest()[:36],
        "TopicArn": TOPIC,
        "Message": body.decode(),
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
    }
    found["Signature"] = _b64(RSA_KEY.sign(string_to_sign(found), padding.PKCS1v15(), hashes.SHA256()))
    return HookCall(json.dumps(found).encode(), {"Content-Type": "text/plain; charset=UTF-8"})


_PROOFS: Mapping[str, Callable[[bytes, str], HookCall]] = {
    "alibaba": _header("x-eventbridge-signature-token", lambda _: WORD),
    "amazon_ses": _sns,
    "brevo": _basic,
    "generic_http": _in_url,
    "mailersend": _header("Signature", _hexmac),
    "mailgun": _mailgun,
    "mailjet": _basic,
    "mailtrap": _header("Mailtrap-Signature", _hexmac),
    "mandrill": _mandrill,
    "postal": _postal,
    "postmark": _basic,
    "resend": _svix,
    "sendgrid": _sendgrid,
    "sparkpost": _basic,
    "tencent": _in_url,
    "unisender_go": _unisender,
}
_SECRETS = {
    "amazon_ses": TOPIC,
    "brevo": USER,
    "mailjet": USER,
    "postal": public(RSA_KEY),
    "postmark": USER,
    "resend": f"whsec_{_b64(WORD.encode())}",
    "sendgrid": public(EC_KEY),
    "sparkpost": USER,
    "unisender_go": "",
}
