"""A hit: what is kept of one request for a pixel or a link, on its way through Redis."""

from __future__ import annotations

import msgspec

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
    label: str = ""  # what the operator's network lists say of the address: apple, scanner or nothing


encode_hit = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Hit).decode


def decode_hit(raw: bytes) -> Hit | None:
    """The hit behind a queue entry; None for what is no hit."""
    try:
        return _decode(raw)
    except msgspec.DecodeError:
        return None
