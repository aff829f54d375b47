"""Webhook calls damaged at random: `python -m tests.delivery.providers.fuzz_receipts SECONDS` runs new seeds.

A seed makes the same call while the samples of receipt_samples.py stay as they are; what broke a parser is kept there
as a test of its own.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from dataclasses import replace
from typing import Any

from delivery.providers import ProviderEvent, UnreadableReceiptError, WebhookRequest

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1e308, -1e308, 1767268800, "", "\x00", "\ud800", "x" * 5000, "mid", [], [[]], {},
    {"mid": {"mid": []}}, [None], "2026-13-45T99:99:99Z", "9" * 400, "NaN", "<>", "=?utf-8?q?=00?=", "a@b@c", [{}, 5],
)  # fmt: skip


def damaged(seed: int) -> tuple[str, WebhookRequest]:
    """A provider kind and a damaged call to it."""
    from tests.delivery.providers.receipt_samples import CASES

    rng = random.Random(seed)
    case = rng.choice(CASES)
    request = case.request()
    body = request.body
    if not isinstance(case.body, bytes) and rng.random() < 0.8:
        value = json.loads(body)
        for _ in range(rng.randint(1, 4)):
            value = _with_odd(value, rng)
        body = json.dumps(value).encode("utf-8", "surrogatepass")
    if rng.random() < 0.4:
        body = _with_bytes(body, rng)
    headers = {name: rng.choice((value, "", "\ud800é", "x" * 300)) for name, value in request.headers.items()}
    return case.kind, replace(request, body=body, headers=headers)


def _with_odd(value: Any, rng: random.Random) -> Any:
    """The value with one part of it replaced, dropped or doubled."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(ODD)
    if isinstance(value, list):
        position = rng.randrange(len(value))
        return [*value[:position], _with_odd(value[position], rng), *value[position + 1 :], *value[: rng.randint(0, 1)]]
    name = rng.choice(sorted(value))
    if rng.random() < 0.2:
        return {key: inner for key, inner in value.items() if key != name}
    inner = value[name]
    if isinstance(inner, str) and inner.startswith("{"):
        return {**value, name: json.dumps(_with_odd(json.loads(inner), rng))}
    return {**value, name: _with_odd(inner, rng)}


def _with_bytes(body: bytes, rng: random.Random) -> bytes:
    """The body cut short, or with bytes changed."""
    if rng.random() < 0.3:
        return body[: rng.randint(0, len(body))]
    changed = bytearray(body)
    for _ in range(rng.randint(1, 6)):
        position = rng.randint(0, len(changed))
        changed[position : position + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 3))
    return bytes(changed)


def check(seed: int) -> int:
    """Parse a damaged call; the number of events. Anything but events or UnreadableReceiptError is a bug."""
    from tests.delivery.providers.test_signatures import provider

    kind, request = damaged(seed)
    one = provider(kind)
    assert not one.verify(request, ["a-secret-that-nobody-knows"])
    try:
        events = one.parse_events(request)
    except UnreadableReceiptError:
        return 0
    for event in events:
        _assert_sane(event)
    return len(events)


def _assert_sane(event: ProviderEvent) -> None:
    """What the event table expects of every event."""
    texts = (event.event_id, event.mid, event.provider_id, event.recipient, event.reply, event.url, event.user_agent)
    assert event.event_id
    assert all(isinstance(text, str) for text in texts)
    assert event.bounce_class in ("", "hard", "soft", "block")
    assert event.occurred_at is None or event.occurred_at.tzinfo is not None
    assert isinstance(event.machine, bool)
    stored = json.dumps([texts, event.raw], allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in stored.replace("\\\\", "")
    stored.encode()


def main(seconds: float) -> None:
    """New seeds until the time is over; the first that breaks something is named."""
    from django.conf import settings

    settings.configure()
    end, first = time.monotonic() + seconds, int.from_bytes(os.urandom(4), "big")
    seed = first
    while time.monotonic() < end:
        try:
            check(seed)
        except Exception:
            sys.stderr.write(f"seed {seed} broke {damaged(seed)}\n")
            raise
        seed += 1
    sys.stdout.write(f"{seed - first} calls from seed {first}: nothing broke\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
