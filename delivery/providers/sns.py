"""Amazon SNS messages: their signature, checked with Amazon's certificate, and the subscription handshake."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .contract import ProofUnavailableError, UnreadableReceiptError, WebhookRequest
from .signatures import equal

# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
AMAZON_HOST = re.compile(r"^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?$")
CERTIFICATE_PATH = re.compile(r"^/SimpleNotificationService-[A-Za-z0-9]{1,80}\.pem$")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}

Fetch = Callable[[str], bytes]


def message(request: WebhookRequest) -> dict[str, object]:
    """The SNS envelope; raises UnreadableReceiptError when the body is none."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceiptError("not JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("Type"), str):
        raise UnreadableReceiptError("not an SNS message")
    return found


def verify(request: WebhookRequest, topics: Sequence[str], fetch: Fetch) -> bool:
    """Whether Amazon signed this call, and for one of our topics.

    Anybody can make a topic of their own and have Amazon sign its messages, so the topic's ARN is the secret.
    `fetch` gets the certificate from an address on Amazon's host; it raises OSError when it cannot, and then so does
    this with ProofUnavailableError. Calls for other topics make us fetch nothing.
    """
    try:
        found = message(request)
        digest = DIGESTS.get(str(found.get("SignatureVersion", "")))
        signature = base64.b64decode(str(found.get("Signature", "")), validate=True)
        if digest is None or not _is_ours(found, topics):
            return False
        key = _key(str(found.get("SigningCertURL", "")), fetch)
    except OSError as error:
        raise ProofUnavailableError(f"Amazon's certificate cannot be fetched: {error}") from error
    except (ValueError, binascii.Error):
        return False
    if key is None:
        return False
    try:
        key.verify(signature, string_to_sign(found), padding.PKCS1v15(), digest())
    except InvalidSignature:
        return False
    return True


def _is_ours(found: dict[str, object], topics: Sequence[str]) -> bool:
    """Whether the message comes from a topic that we know."""
    return any(equal(str(found.get("TopicArn", "")), topic) for topic in topics if topic)


def _key(url: str, fetch: Fetch) -> rsa.RSAPublicKey | None:
    """The public key of the certificate at an Amazon address; ValueError or OSError when there is none."""
    if not is_amazon(url) or not CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
        return None
    key = x509.load_pem_x509_certificate(fetch(url)).public_key()
    return key if isinstance(key, rsa.RSAPublicKey) else None


def is_amazon(url: str) -> bool:
    """Whether an address is https on an SNS host, with no port or user in it."""
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.netloc == parts.hostname and bool(AMAZON_HOST.fullmatch(parts.netloc))


def string_to_sign(found: dict[str, object]) -> bytes:
    """Name and value of each signed member on lines of their own; a member that is missing is left out."""
    names = SIGNED.get(str(found.get("Type")), ())
    return "".join(f"{name}\n{found[name]}\n" for name in names if found.get(name) is not None).encode()


def confirmation_url(request: WebhookRequest) -> str:
    """The address to GET so that a new subscription starts, or ""; call it for verified requests only."""
    found = message(request)
    url = str(found.get("SubscribeURL", "")) if found["Type"] == "SubscriptionConfirmation" else ""
    return url if is_amazon(url) else ""
