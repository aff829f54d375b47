"""Webhook calls that are not as documented: strange events, strange values, damage at random."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.providers import ProviderEvent, UnreadableReceiptError, WebhookRequest
from tests.delivery.providers.fuzz_receipts import check
from tests.delivery.providers.receipt_bodies import Case, K, sendgrid
from tests.delivery.providers.receipt_samples import CASES, KINDS
from tests.delivery.providers.test_signatures import provider


def test_one_strange_event_does_not_hide_the_others() -> None:
    body = [{"event": "bounce", "timestamp": {"no": "time"}, "email": 5}, *sendgrid("delivered"), {"nothing": 1}]
    request = Case("sendgrid", body, (K.UNKNOWN, "", False)).request()
    events = provider("sendgrid").parse_events(request)
    assert [event.kind for event in events] == [K.UNKNOWN, K.DELIVERED, K.UNKNOWN]
    assert events[2].raw == {"nothing": 1}


@pytest.mark.parametrize("strange", ["\ud800", "a\x00b", {"deep": [float("nan"), "\x00"]}])
def test_what_postgresql_cannot_store_is_taken_out(strange: object) -> None:
    body = json.dumps(sendgrid("bounce", reason=strange, more=strange)).encode()
    event = provider("sendgrid").parse_events(WebhookRequest("", body, {}))[0]
    json.dumps(event.raw, allow_nan=False, ensure_ascii=False).encode()
    assert "\x00" not in event.reply + str(event.raw)
    assert event.kind is K.BOUNCED


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_damaged_calls_break_nothing(first: int) -> None:
    for seed in range(first, first + 50):
        check(seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 50_000])
def test_a_body_that_is_not_the_providers_is_said_so(kind: str, body: bytes) -> None:
    with pytest.raises(UnreadableReceiptError):
        provider(kind).parse_events(WebhookRequest("", body, {}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mandrill"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_event_breaks_nothing(kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in CASES if case.kind == kind]))
    damaged = _damage(json.loads(json.dumps(case.body)), data)
    try:
        events = provider(kind).parse_events(Case(kind, damaged, case.means).request())
    except UnreadableReceiptError:
        return
    assert all(isinstance(event, ProviderEvent) and event.event_id for event in events)


def _damage(value: object, data: st.DataObject) -> object:
    """The value with one part of it replaced by any JSON."""
    if data.draw(st.integers(0, 3)) == 0 or not isinstance(value, dict | list) or not value:
        return data.draw(JSON)
    if isinstance(value, list):
        return [_damage(value[0], data), *value[1:]]
    name = data.draw(st.sampled_from(sorted(value)))
    return {**value, name: _damage(value[name], data)}
