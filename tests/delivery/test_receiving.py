"""What comes back becomes events and consequences: once, whatever is repeated, late or out of order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from contacts.models import Contact, Subscription, Suppression
from contacts.services import lift_suppression
from delivery.inbound.taxonomy import Category
from delivery.models import Batch, Event, OutcomeRow, Receipt
from delivery.outcomes import Result
from delivery.providers.http import Http, UnsentError
from delivery.services import hooks
from delivery.services.calls import read_call
from delivery.services.receiving import forget_old_receipts, process_receipts, read_again, store_mail
from delivery.services.uncertain import accept_by_events
from delivery.tracking.tokens import TokenMaker, mail_form
from tests.delivery.inbound.mails import arf, dsn
from tests.delivery.receipts import events, hook_account, mid_of, receive, sent_campaign

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
STAMP = int(NOW.timestamp())


def sendgrid(event: str, mid: str = "", **more: object) -> dict[str, object]:
    return {
        "event": event,
        "email": "x@example.org",
        "timestamp": STAMP,
        "sg_event_id": f"sg-{event}",
        "mid": mid,
    } | more


def test_a_hard_bounce_is_an_event_and_ends_all_mail_to_the_address() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account, 2)
    alice, _ = Contact.objects.order_by("pk")
    receipt = receive(
        account, [sendgrid("bounce", mid_of(campaign, alice), type="bounce", reason="550 5.1.1 no such user")]
    )
    event = Event.objects.get()
    assert (event.kind, event.bounce_kind, event.category) == ("bounced", "hard", "invalid_recipient")
    assert (event.enhanced, event.reply, event.rules_version) == ("5.1.1", "550 5.1.1 no such user", 1)
    assert (event.contact_id, event.account_id, event.receipt_id) == (alice.pk, account.pk, receipt.pk)
    assert (receipt.n_events, receipt.n_unmatched, receipt.problem) == (1, 0, "")
    assert event.occurred_at == datetime.fromtimestamp(STAMP, UTC)
    suppression = Suppression.objects.get()
    assert (suppression.address_key, suppression.reason, suppression.source) == (
        alice.address_key, "hard_bounce", "webhook",
    )  # fmt: skip
    evidence = {
        "campaign": campaign.pk,
        "account": account.pk,
        "receipt": receipt.pk,
        "words": "550 5.1.1 no such user",
    }
    assert suppression.evidence.items() >= evidence.items()
    assert {"rule", "rules_version"} <= suppression.evidence.keys()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (sendgrid("bounce", type="blocked", reason="550 5.7.1 blocked"), ("bounced", "block", "policy")),
        (sendgrid("bounce", type="bounce", reason="552 5.2.2 mailbox full"), ("bounced", "soft", "quota")),
        (sendgrid("bounce", type="bounce", reason="550 5.7.1 rejected"), ("bounced", "block", "policy")),
        (sendgrid("deferred", response="451 4.7.1 greylisted"), ("deferred", "soft", "greylist")),
        (sendgrid("delivered", response="250 ok"), ("delivered", "", "")),
        (sendgrid("processed"), ("unknown", "", "")),
        (sendgrid("open", useragent="Mozilla/5.0 (X11; Linux) Firefox/140.0"), ("opened", "machine", "too-soon")),
        (sendgrid("open", sg_machine_open=True), ("opened", "machine", "provider-says-machine")),
        (sendgrid("open"), ("opened", "unknown", "no-details-from-provider")),
        (sendgrid("click", useragent="curl/8", url="https://x.example/"), ("clicked", "machine", "scanner-agent")),
        (sendgrid("click", url="https://x.example/h/abc"), ("clicked", "machine", "honeypot")),
    ],
)
def test_what_is_no_hard_bounce_and_no_complaint_suppresses_nobody(
    body: dict[str, object], expected: tuple[str, str, str]
) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    body["mid"] = mid_of(campaign, Contact.objects.get())
    receive(account, [body])
    assert events(campaign) == [expected]
    assert not Suppression.objects.exists()
    assert Subscription.objects.get().state == "confirmed"


def test_a_complaint_suppresses_and_an_unsubscribe_leaves_the_campaign_s_lists() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account, 3)
    alice, bob, carol = Contact.objects.order_by("pk")
    body = [sendgrid("spamreport", mid_of(campaign, alice)), sendgrid("unsubscribe", mid_of(campaign, bob))]
    receive(account, body)
    assert [(s.address_key, s.reason) for s in Suppression.objects.all()] == [(alice.address_key, "complaint")]
    assert Subscription.objects.get(contact=bob).state == "unsubscribed"
    assert Subscription.objects.get(contact=carol).state == "confirmed"
    assert sorted(event.kind for event in Event.objects.all()) == ["complained", "unsubscribed"]


def test_replays_and_disorder_change_nothing() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    mid = mid_of(campaign, Contact.objects.get())
    bounce = sendgrid("bounce", mid, type="bounce", reason="550 5.1.1 no such user")
    delivered = sendgrid("delivered", mid)
    receive(account, [bounce, delivered])
    before = sorted(Event.objects.values_list("event_key", "occurred_at", "receipt_id"))
    receive(account, [delivered, bounce, bounce])
    receive(account, [bounce])
    assert sorted(Event.objects.values_list("event_key", "occurred_at", "receipt_id")) == before
    assert len(before) == 2
    assert Suppression.objects.count() == 1


def test_a_replayed_bounce_does_not_suppress_an_address_that_a_person_has_freed() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    bounce = sendgrid("bounce", mid_of(campaign, Contact.objects.get()), type="bounce", reason="550 5.1.1 no such user")
    receive(account, [bounce])
    lift_suppression(Suppression.objects.get().pk, by=None, note="A typing error at the provider", now=NOW)
    replay = receive(account, [bounce, sendgrid("processed")])
    read_again(Receipt.objects.all())
    process_receipts(now=timezone.now())
    assert replay.n_events == 1
    assert not Suppression.objects.filter(lifted_at=None).exists()


def test_an_event_without_a_moment_stays_one_event_under_replays() -> None:
    account = hook_account("brevo")
    campaign = sent_campaign(account)
    event = {"event": "delivered", "email": "x@example.org", "message-id": "<1@relay>", "X-Mailin-custom": ""}
    event["X-Mailin-custom"] = json.dumps({"mid": mid_of(campaign, Contact.objects.get())})
    receive(account, [event])
    assert receive(account, [event, {"event": "request"}]).n_events == 1
    assert events(campaign) == [("delivered", "", "")]


def test_an_absurd_clock_is_not_believed() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    event = sendgrid("delivered", mid_of(campaign, Contact.objects.get())) | {"timestamp": 4_000_000_000}
    receipt = receive(account, [event])
    assert Event.objects.get().occurred_at == receipt.received_at


def test_without_our_id_the_provider_s_id_and_the_recipient_name_the_message() -> None:
    account, other = hook_account("mailersend"), hook_account("mailersend", "Other")
    campaign = sent_campaign(account, 2)
    alice, bob = Contact.objects.order_by("pk")

    def told(provider_id: str, address: str, number: int) -> dict[str, object]:
        email = {"message": {"id": provider_id}, "recipient": {"email": address}}
        data = {"id": f"a-{number}", "type": "delivered", "created_at": NOW.isoformat(), "email": email, "morph": {}}
        return {"type": "activity.delivered", "data": data}

    assert receive(account, told(f"id-{alice.pk}", alice.email.upper(), 1)).n_events == 1
    assert receive(account, told(f"id-{alice.pk}", bob.email, 2)).n_unmatched == 1
    assert receive(account, told("id-0", alice.email, 3)).n_unmatched == 1
    assert receive(other, told(f"id-{alice.pk}", alice.email, 4)).n_unmatched == 1
    assert [event.contact_id for event in Event.objects.all()] == [alice.pk]
    assert events(campaign) == [("delivered", "", "")]


def test_events_about_mail_that_is_not_ours_are_counted_and_kept_out() -> None:
    account = hook_account("sendgrid")
    sent_campaign(account)
    forged = sendgrid("bounce", "A" * 22, type="bounce", reason="550 5.1.1 no such user")
    stranger = TokenMaker(django_settings.SECRET_KEY).make(999, 999)
    receipt = receive(account, [forged, sendgrid("bounce", stranger), sendgrid("bounce", "")])
    assert (receipt.n_events, receipt.n_unmatched, receipt.problem) == (0, 3, "")
    assert not Event.objects.exists()
    assert not Suppression.objects.exists()


def test_a_body_that_cannot_be_read_waits_for_a_fix_and_does_not_hold_up_others(monkeypatch: Any) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    mid = mid_of(campaign, Contact.objects.get())
    broken = receive(account, b'{"event":')
    assert (broken.problem, broken.n_events, broken.processed_at is not None) == ("not JSON", 0, True)
    assert receive(account, [sendgrid("delivered", mid)]).n_events == 1
    Receipt.objects.filter(pk=broken.pk).update(body=b'[{"event": "open"}]')
    assert read_again(Receipt.objects.exclude(problem="")) == 1
    process_receipts(now=timezone.now())
    broken.refresh_from_db()
    assert (broken.problem, broken.n_unmatched) == ("", 1)


def test_after_a_fix_a_receipt_is_read_again_and_its_events_are_replaced(monkeypatch: Any) -> None:
    """A parser that took a hard bounce for a delivery is repaired: one event, the right one, with its consequence."""
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    body = [sendgrid("bounce", mid_of(campaign, Contact.objects.get()), type="bounce", reason="550 5.1.1 unknown user")]
    with monkeypatch.context() as patch:
        patch.setitem(body[0], "event", "delivered")
        receive(account, body)
    assert events(campaign) == [("delivered", "", "")]
    receipt = Receipt.objects.get()
    Receipt.objects.update(body=bytes(receipt.body).replace(b'"delivered"', b'"bounce"', 1))
    read_again(Receipt.objects.all())
    assert process_receipts(now=timezone.now()) == 1
    assert events(campaign) == [("bounced", "hard", "invalid_recipient")]
    assert Suppression.objects.count() == 1
    read_again(Receipt.objects.all())
    process_receipts(now=timezone.now())
    assert (Event.objects.count(), Suppression.objects.count()) == (1, 1)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16", "unknown-8bit"])
def test_a_strange_charset_hides_no_event(charset: str) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    text = f'[{{"event": "delivered", "timestamp": {STAMP}, "sg_event_id": "1", "email": "x@example.org",'
    text += f' "response": "250 größer", "mid": "{mid_of(campaign, Contact.objects.get())}"}}]'
    raw = text.encode("latin-1" if charset == "unknown-8bit" else charset)
    hooks.store_call(account, {"Content-Type": f"application/json; charset={charset}"}, raw)
    process_receipts(now=timezone.now())
    assert Event.objects.get().reply == "250 größer"


def test_a_failure_of_ours_is_tried_again_later_alone_and_then_shown(monkeypatch: Any) -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    real = read_call

    def fails(receipt: Receipt) -> Any:
        if bytes(receipt.body) == b"bad":
            raise RuntimeError("a bug")
        return real(receipt)

    monkeypatch.setattr("delivery.services.receiving.read_call", fails)
    hooks.store_call(account, {}, b"bad")
    receipt = receive(account, [sendgrid("delivered", mid_of(campaign, Contact.objects.get()))])
    assert receipt.n_events == 1  # the group failed, then each was read alone
    bad = Receipt.objects.get(body=b"bad")
    assert (bad.n_attempts, bad.problem, bad.processed_at) == (1, "RuntimeError: a bug", None)
    now = timezone.now()
    for minutes in (1, 4, 16, 64):
        now += timedelta(minutes=minutes, seconds=10)
        assert process_receipts(now=now) == 1
    bad.refresh_from_db()
    assert (bad.n_attempts, bad.processed_at) == (5, now)


def test_an_event_resolves_a_message_whose_fate_was_uncertain() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account, 2, result=Result.UNCERTAIN)
    alice, bob = Contact.objects.order_by("pk")
    receive(account, [sendgrid("processed", mid_of(campaign, bob)), sendgrid("delivered", mid_of(campaign, alice))])
    assert accept_by_events(now=timezone.now()) == 1
    results = dict(OutcomeRow.objects.values_list("contact_id", "result"))
    assert results == {alice.pk: Result.ACCEPTED, bob.pk: Result.UNCERTAIN}
    batch = Batch.objects.get()
    assert (batch.n_accepted, batch.n_uncertain) == (1, 1)


def test_a_call_for_an_account_that_is_gone_is_kept_with_its_reason() -> None:
    account = hook_account("sendgrid")
    receipt = receive(account, [])
    account.delete()
    read_again(Receipt.objects.all())
    process_receipts(now=timezone.now())
    receipt.refresh_from_db()
    assert receipt.problem == "The account that this call was for is gone."


def test_a_returned_mail_is_an_event_of_its_message_and_account() -> None:
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    contact = Contact.objects.get()
    block = TokenMaker(django_settings.SECRET_KEY).blocks(campaign.pk, [contact.pk])[0]
    recipients = [f"b+{mail_form(block)}@bounce.acme.example"]
    assert store_mail(dsn(), sender="", recipients=recipients, source="pipe")
    assert not store_mail(dsn(), sender="", recipients=recipients, source="imap")
    process_receipts(now=timezone.now())
    event = Event.objects.get()
    assert (event.kind, event.category, event.account_id) == ("bounced", Category.INVALID_RECIPIENT, account.pk)
    assert (Suppression.objects.get().reason, Suppression.objects.get().source) == ("hard_bounce", "dsn")
    assert store_mail(arf(), sender="", recipients=recipients, source="pipe")
    process_receipts(now=timezone.now())
    assert events(campaign) == [("bounced", "hard", "invalid_recipient"), ("complained", "", "complaint")]


def test_backscatter_and_forged_bounces_change_nothing() -> None:
    sent_campaign(hook_account("sendgrid"))
    for number, recipient in enumerate(["postmaster@acme.example", f"b+{'0' * 32}@bounce.acme.example"]):
        raw = dsn().replace(b"Subject:", b"X-N: %d\r\nSubject:" % number, 1)
        store_mail(raw, sender="", recipients=[recipient], source="pipe")
    process_receipts(now=timezone.now())
    assert [(r.n_events, r.n_unmatched, r.problem) for r in Receipt.objects.all()] == [(0, 1, ""), (0, 1, "")]
    assert not Event.objects.exists()
    assert not Suppression.objects.exists()


def test_mail_to_the_unsubscribe_address_takes_the_person_off_the_campaign_s_lists() -> None:
    campaign = sent_campaign(hook_account("sendgrid"))
    block = TokenMaker(django_settings.SECRET_KEY).blocks(campaign.pk, [Contact.objects.get().pk])[0]
    to = f"u+{mail_form(block)}@bounce.acme.example"
    raw = f"From: reader@example.org\r\nTo: {to}\r\nSubject: unsubscribe\r\n\r\n".encode()
    store_mail(raw, sender="reader@example.org", recipients=[to], source="listener")
    process_receipts(now=timezone.now())
    assert Subscription.objects.get().state == "unsubscribed"
    assert [event.kind for event in Event.objects.all()] == ["unsubscribed"]


def test_a_new_amazon_subscription_is_confirmed_once_it_is_stored(monkeypatch: Any) -> None:
    account = hook_account("amazon_ses", options={"access_key_id": "a", "region": "eu-central-1"})
    account.secrets = {"secret_access_key": "s"}
    account.save()
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x"
    fetched: list[str] = []

    class Answer:
        status, text = 200, ""

    def call(_http: Http, call: Any) -> Any:
        fetched.append(call.url)
        if len(fetched) == 1:
            raise UnsentError("no network")
        return Answer()

    monkeypatch.setattr(Http, "call", call)
    receipt = receive(account, {"Type": "SubscriptionConfirmation", "SubscribeURL": url})
    assert receipt.processed_at is None
    assert "no network" in receipt.problem
    process_receipts(now=timezone.now() + timedelta(minutes=2))
    receipt.refresh_from_db()
    assert (fetched, receipt.problem, receipt.processed_at is not None) == ([url, url], "", True)


def test_old_receipts_go_and_their_events_stay(settings: Any) -> None:
    settings.RECEIPTS_KEPT_DAYS = 30
    account = hook_account("sendgrid")
    campaign = sent_campaign(account)
    receive(account, [sendgrid("delivered", mid_of(campaign, Contact.objects.get()))])
    receive(account, b"nonsense")
    hooks.store_call(account, {}, b"waits")
    later = timezone.now() + timedelta(days=31)
    assert forget_old_receipts(now=later - timedelta(days=2)) == 0
    assert forget_old_receipts(now=later) == 1
    assert {bytes(receipt.body) for receipt in Receipt.objects.all()} == {b"nonsense", b"waits"}
    assert forget_old_receipts(now=later + timedelta(days=60)) == 1
    assert {bytes(receipt.body) for receipt in Receipt.objects.all()} == {b"waits"}
    assert events(campaign) == [("delivered", "", "")]
