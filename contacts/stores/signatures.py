"""Who sent a webhook: HMAC-SHA256 over the raw body, in base64. Pure.

Shopify signs with the app's client secret and for up to an hour after a rotation still with the old one; WooCommerce
(class WC_Webhook, 2026) signs with the webhook's own secret, HTML-unescaped, so a secret without & < > " ' is best.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

HEADERS = {"shopify": "X-Shopify-Hmac-SHA256", "woocommerce": "X-WC-Webhook-Signature"}
_PING = re.compile(rb"webhook_id=\d+")


def sign(secret: str, body: bytes) -> str:
    """The signature both platforms send."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets made the signature; without a secret nothing is signed."""
    signature_bytes = signature.strip().encode("utf-8", "replace")
    return any(hmac.compare_digest(sign(secret, body).encode(), signature_bytes) for secret in secrets if secret)


def is_ping(body: bytes, content_type: str) -> bool:
    """WooCommerce's unsigned hello on creation of a webhook; answered otherwise than 200, the webhook stays off."""
    return content_type == "application/x-www-form-urlencoded" and _PING.fullmatch(body) is not None
