"""Proofs that a webhook call comes from the provider: each scheme a pure function over the call and its secrets.

A replayed call proves as well as the first one; it is harmless because events carry ids that are stable under replays.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .contract import WebhookRequest

Check = Callable[[WebhookRequest, str], bool]


def by_any(check: Check, request: WebhookRequest, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets proves the call; an empty secret proves nothing."""
    return any(check(request, secret) for secret in secrets if secret)


def equal(left: str, right: str) -> bool:
    """Compare in constant time, whatever the characters."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def authorization(request: WebhookRequest, secret: str) -> bool:
    """HTTP basic (secret "user:password") or a bearer token (any other secret); RFC 7617, RFC 6750."""
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        return equal(value.strip(), base64.b64encode(secret.encode()).decode())
    return scheme.lower() == "bearer" and equal(value.strip(), secret)


def secret_in_url(request: WebhookRequest, secret: str) -> bool:
    """The query of the address that was pasted at the provider carries `secret`."""
    return equal(request.query.get("secret", ""), secret)


def token_header(name: str) -> Check:
    """A header that repeats a token the two sides agreed on."""
    return lambda request, secret: equal(request.header(name), secret)


def hex_hmac_header(name: str) -> Check:
    """HMAC-SHA256 of the raw body, in lower-case hexadecimal (MailerSend, Mailtrap)."""

    def check(request: WebhookRequest, secret: str) -> bool:
        expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        return equal(request.header(name).strip().lower(), expected)

    return check


def mailgun(request: WebhookRequest, secret: str) -> bool:
    """HMAC-SHA256 of timestamp and token, which stand in the body itself.

    https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
    """
    signature = _member(request.body, "signature")
    if not isinstance(signature, dict):
        return False
    signed = f"{signature.get('timestamp', '')}{signature.get('token', '')}"
    expected = hmac.new(secret.encode(), signed.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    return equal(str(signature.get("signature", "")), expected)


def mandrill(request: WebhookRequest, secret: str) -> bool:
    """HMAC-SHA1 of the address and the sorted form fields, base64.

    https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/#authenticating-webhook-requests
    """
    signed = request.url + "".join(f"{name}{value}" for name, value in sorted(form(request).items()))
    expected = base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    return equal(request.header("x-mandrill-signature"), expected)


def form(request: WebhookRequest) -> dict[str, str]:
    """The fields of a form-encoded body; of a repeated name the last value."""
    return WebhookRequest(url="?" + request.body.decode("utf-8", "replace"), body=b"", headers={}).query


def svix(request: WebhookRequest, secret: str) -> bool:
    """HMAC-SHA256 of "id.timestamp.body" with the secret after "whsec_", base64; the header may hold several.

    https://docs.svix.com/receiving/verifying-payloads/how-manual
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    prefix = f"{request.header('svix-id')}.{request.header('svix-timestamp')}.".encode()
    expected = base64.b64encode(hmac.new(key, prefix + request.body, hashlib.sha256).digest()).decode()
    given = [part.partition(",")[2] for part in request.header("svix-signature").split() if part.startswith("v1,")]
    return any(equal(signature, expected) for signature in given)


def sendgrid(request: WebhookRequest, secret: str) -> bool:
    """ECDSA P-256 with SHA-256 over timestamp and body; the secret is the public key as base64 DER.

    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
    """
    key = public_key(secret)
    signature = unbase64(request.header("x-twilio-email-event-webhook-signature"))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not signature:
        return False
    signed = request.header("x-twilio-email-event-webhook-timestamp").encode() + request.body
    return _verifies(lambda: key.verify(signature, signed, ec.ECDSA(hashes.SHA256())))


def postal(request: WebhookRequest, secret: str) -> bool:
    """RSA over the raw body; the secret is the server's public key as base64 DER (its default DKIM record's p=).

    Postal 3 signs with SHA-256 in X-Postal-Signature-256 and with SHA-1 in X-Postal-Signature; where the first
    header stands, the second is not looked at.
    """
    key = public_key(secret)
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    strong = request.header("x-postal-signature-256")
    signature = unbase64(strong or request.header("x-postal-signature"))
    digest = hashes.SHA256() if strong else hashes.SHA1()  # noqa: S303 - what Postal 2 signs with
    return bool(signature) and _verifies(lambda: key.verify(signature, request.body, padding.PKCS1v15(), digest))


def unisender(request: WebhookRequest, secret: str) -> bool:
    """MD5 of the raw body with the value of "auth" replaced by the API key.

    https://godocs.unisender.ru/web-api-ref#callback-format
    """
    given = _member(request.body, "auth")
    if not isinstance(given, str) or len(given) != 32:
        return False
    signed = request.body.replace(given.encode("utf-8", "replace"), secret.encode(), 1)
    return equal(given, hashlib.md5(signed).hexdigest())  # noqa: S324 - their scheme


def public_key(text: str) -> object | None:
    """A public key from PEM or from its bare base64; None when it is none."""
    body = "".join(line for line in text.split() if line)
    pem = text if "-----BEGIN" in text else f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"
    try:
        return serialization.load_pem_public_key(pem.encode())
    except ValueError:
        return None


def unbase64(text: str) -> bytes:
    """The bytes of base64 text, or none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _verifies(verify: Callable[[], None]) -> bool:
    """Whether the signature check passes without complaint."""
    try:
        verify()
    except InvalidSignature:
        return False
    return True


def _member(body: bytes, name: str) -> object:
    """One member of a JSON object body, or None."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value.get(name) if isinstance(value, dict) else None
