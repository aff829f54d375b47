"""A hit: one request for a pixel or a link, in Redis before it is answered."""

from __future__ import annotations

import time
import uuid

import msgspec
from django.http import HttpRequest
from redis import Redis

from delivery.tracking.clients import client_address, network_of

QUEUE = "fanfare:hits"


class Hit(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of one request. `key` makes a hit that is flushed twice one event; `at` is Unix seconds."""

    key: bytes
    at: float
    kind: str  # opened, clicked, honeypot
    campaign_id: int
    contact_id: int
    link_index: int | None
    network: str  # address cut to /24 or /48: enough for verdicts, not for finding a person
    user_agent: str
    method: str
    purpose: str  # Sec-Purpose, Purpose or X-Moz, where prefetchers say so


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Hit).decode


def hit_of(request: HttpRequest, kind: str, campaign_id: int, contact_id: int, link_index: int | None = None) -> Hit:
    """The hit behind a request."""
    meta = request.META
    purpose = meta.get("HTTP_SEC_PURPOSE") or meta.get("HTTP_PURPOSE") or meta.get("HTTP_X_MOZ") or ""
    return Hit(
        key=uuid.uuid4().bytes,
        at=time.time(),
        kind=kind,
        campaign_id=campaign_id,
        contact_id=contact_id,
        link_index=link_index,
        network=network_of(client_address(meta)),
        user_agent=str(meta.get("HTTP_USER_AGENT", ""))[:300],
        method=request.method or "",
        purpose=str(purpose)[:40],
    )


def record_hit(redis: Redis, hit: Hit) -> None:
    """The hit is in Redis afterwards."""
    redis.rpush(QUEUE, _encode(hit))


def decode_hit(raw: bytes) -> Hit | None:
    """The hit behind a queue entry; None for what is no hit."""
    try:
        return _decode(raw)
    except msgspec.DecodeError:
        return None
