"""Storing a delivery once, whatever comes of it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping

from django.db import connection

from contacts.stores import shopify, woocommerce
from contacts.stores.models import Store

MAX_BODY = 5 * 1024 * 1024
TOPICS = {"shopify": "X-Shopify-Topic", "woocommerce": "X-WC-Webhook-Topic"}
KEPT_HEADERS = ("x-shopify-", "x-wc-webhook-")
SIGNATURES = ("hmac", "signature")
INSERT = """
INSERT INTO stores_storedelivery
    (store_id, delivery_key, topic, headers, body, n_attempts, problem, outcome)
VALUES (%s, %s, %s, %s::jsonb, %s, 0, '', '')
ON CONFLICT (store_id, delivery_key) DO NOTHING
"""


def find_store(store_uuid: uuid.UUID) -> Store | None:
    """The enabled store behind a webhook address."""
    return Store.objects.filter(uuid=store_uuid, enabled=True).first()


def secrets_of(store: Store) -> list[str]:
    """The secret that signs, and the one before it while it is being rotated."""
    return [store.secrets[name] for name in ("webhook_secret", "old_webhook_secret") if store.secrets.get(name)]


def keep_delivery(store: Store, headers: Mapping[str, str], body: bytes) -> bool:
    """The delivery is stored; False if it was already."""
    topic = headers.get(TOPICS[store.platform], "")[:100]
    kept = {
        name: value[:300]
        for name, value in headers.items()
        if name.lower().startswith(KEPT_HEADERS) and not any(word in name.lower() for word in SIGNATURES)
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [store.pk, _key(store, headers, topic, body)[:200], topic, json.dumps(kept), body])
        return bool(cursor.rowcount)


def _key(store: Store, headers: Mapping[str, str], topic: str, body: bytes) -> str:
    body_hash = hashlib.sha256(body).hexdigest()
    if store.platform == Store.Platform.SHOPIFY:
        return shopify.delivery_key(headers, topic, body_hash)
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    return woocommerce.delivery_key(topic, payload, body_hash)
