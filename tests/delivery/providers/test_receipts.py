"""Each provider's documented events, read into ours: kind, hard or soft, machine or not, whose, when."""

from __future__ import annotations

import pytest

from delivery.providers import PROVIDERS
from tests.delivery.providers.receipt_bodies import ALICE, AT, Case, K, brevo, postal, postmark, tencent
from tests.delivery.providers.receipt_samples import CASES, IDS, read
from tests.delivery.providers.test_signatures import provider


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_event_is_read(case: Case) -> None:
    event = read(case)
    assert (event.kind, event.bounce_class, event.machine) == case.means
    assert event.mid == case.mid
    assert event.recipient == ALICE
    assert event.occurred_at == AT
    assert {name: getattr(event, name) for name in case.more} == dict(case.more)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_replayed_event_has_the_same_id(case: Case) -> None:
    assert read(case).event_id == read(case).event_id != ""


def test_events_that_differ_have_different_ids() -> None:
    one = read(Case("brevo", brevo("click", link="https://shop.example/a"), (K.CLICKED, "", False)))
    other = read(Case("brevo", brevo("click", link="https://shop.example/b"), (K.CLICKED, "", False)))
    again = read(Case("brevo", brevo("click", link="https://shop.example/a", ts_epoch=1), (K.CLICKED, "", False)))
    assert len({one.event_id, other.event_id, again.event_id}) == 3


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_every_event_that_a_provider_declares_has_a_sample_of_it(kind: str) -> None:
    hooks = PROVIDERS[kind].capabilities.webhooks
    assert hooks is not None
    assert {case.means[0] for case in CASES if case.kind == kind} - {K.UNKNOWN} <= set(hooks.events)


def test_a_time_without_a_zone_is_utc() -> None:
    body = {**postmark("Delivery", DeliveredAt="2026-01-01T12:00:00"), "RecordType": "New"}
    assert (
        read(Case("postmark", {**body, "BouncedAt": "2026-01-01T12:00:00"}, (K.UNKNOWN, "", False))).occurred_at == AT
    )


def test_a_bounce_of_an_unknown_sort_has_no_class() -> None:
    assert read(Case("tencent", tencent("bounce", bounceType="curious"), (K.BOUNCED, "", False))).bounce_class == ""


def test_an_event_about_incoming_mail_is_none_of_ours() -> None:
    body = postal("MessageDeliveryFailed", status="HardFail")
    body["payload"]["message"]["direction"] = "incoming"  # type: ignore[index]
    assert provider("postal").parse_events(Case("postal", body, (K.UNKNOWN, "", False)).request()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("sparkpost", [{"msys": {}}]),
        ("amazon_ses", {"Type": "SubscriptionConfirmation", "MessageId": "1", "Message": "You have chosen"}),
        ("amazon_ses", {"Type": "Notification", "Message": "Successfully validated SNS topic for Amazon SES"}),
        ("mandrill", b"mandrill_events=%5B%5D"),
        ("unisender_go", {"auth": "x", "event_name": "transactional_spam_block"}),
    ],
)
def test_a_ping_holds_no_event(kind: str, body: object) -> None:
    assert provider(kind).parse_events(Case(kind, body, (K.UNKNOWN, "", False)).request()) == []
