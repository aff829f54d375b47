"""From the campaign to the provider and back: who bounced and complained is on record, and nobody else."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from redis import Redis

from contacts.models import Contact, Subscription, Suppression
from delivery.models import Event, HookRefusal, ProviderAccount, Receipt, Route, RouteMember
from delivery.progress import Progress, progress_of, recount
from delivery.providers import PROVIDERS
from delivery.providers.catalog import DIALECTS
from delivery.providers.fakes import FAKES, FakeProvider, Sent
from delivery.providers.fakes.hook_bodies import BODIES, WORDS, Happening, What
from delivery.providers.fakes.hooks import certificate, hook_call, hook_secret
from delivery.services import hooks
from delivery.services.receiving import process_receipts
from tests.delivery.receipts import hook_account, mid_of, sent_campaign
from tests.delivery.sending.test_api_drain import send

CANNOT = {
    # No unsubscribe event: Postal and Resend have none. Postal knows no complaints either.
    "postal": {What.COMPLAINED, What.UNSUBSCRIBED},
    "resend": {What.UNSUBSCRIBED},
}
KINDS = {What.DELIVERED: "delivered", What.COMPLAINED: "complained", What.UNSUBSCRIBED: "unsubscribed"}


@pytest.fixture(autouse=True)
def _certificates(monkeypatch: Any) -> None:
    """Amazon's certificate is the fake Amazon's."""
    (ses,) = (dialect for dialect in DIALECTS if dialect.key == "amazon_ses")
    monkeypatch.setattr(ses, "_fetch", certificate)


def test_every_provider_with_webhooks_has_a_fake_that_reports_back() -> None:
    assert BODIES.keys() == {kind for kind, it in PROVIDERS.items() if it.capabilities.webhooks is not None}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", sorted(BODIES))
def test_what_a_provider_reports_is_recorded_and_has_its_consequences(client: Client, kind: str) -> None:
    fake = FAKES[kind]()
    settings = {"region": "eu-central-1", **fake.settings, **fake.address("https://api.example.com")}
    account = hook_account(kind, options=settings, secrets=dict(fake.credentials))
    secret = hook_secret(kind)
    account.hook_secrets = {"current": secret} if secret else {}
    account.save()
    wanted = [what for what in What if what not in CANNOT.get(kind, set())]
    campaign = sent_campaign(account, len(wanted))
    told = dict(zip(wanted, Contact.objects.order_by("pk"), strict=True))
    address = hooks.hook_address(account)
    for number, (what, contact) in enumerate(told.items()):
        sent = Sent(contact.email, "", mid=mid_of(campaign, contact))
        call = hook_call(Happening(what, sent, f"id-{contact.pk}", timezone.now(), number), kind, address)
        path = address.removeprefix("http://127.0.0.1:8000") + call.query
        content_type = call.headers.get("Content-Type", "application/json")
        for _ in range(2):  # every call comes twice
            assert client.post(path, call.body, content_type, headers=dict(call.headers)).status_code == 200
        assert client.post(path, call.body + b"x", content_type, headers={"X": "y"}).status_code != 200 or call.query
    process_receipts(now=timezone.now())
    found = {event.contact_id: event for event in Event.objects.exclude(kind="unknown")}
    assert {what: (found[contact.pk].kind, found[contact.pk].bounce_kind) for what, contact in told.items()} == {
        what: _expected(kind, what) for what in wanted
    }
    assert found[told[What.HARD].pk].reply == WORDS[What.HARD]
    suppressed = {told[what].address_key for what in (What.HARD, What.COMPLAINED) if what in told}
    assert set(Suppression.objects.values_list("address_key", flat=True)) == suppressed
    left = Subscription.objects.filter(state="unsubscribed").values_list("contact_id", flat=True)
    assert set(left) == {told[What.UNSUBSCRIBED].pk} if What.UNSUBSCRIBED in told else not left


def _expected(kind: str, what: What) -> tuple[str, str]:
    if what in KINDS:
        return KINDS[what], ""
    # These try again after a temporary failure.
    is_delay = what is What.SOFT and kind in ("mailgun", "postal", "unisender_go")
    return ("deferred" if is_delay else "bounced"), ("hard" if what is What.HARD else "soft")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["sendgrid", "mailersend", "amazon_ses"])
def test_a_campaign_over_an_api_shows_who_bounced_and_who_complained(
    redis: Redis, live_server: Any, settings: Any, kind: str
) -> None:
    settings.PROVIDERS_ON_PRIVATE_NETWORKS = True
    settings.PUBLIC_ORIGIN = live_server.url
    with FakeProvider(FAKES[kind]()) as fake:
        account = ProviderAccount.objects.create(
            name=kind, kind=kind, options={"region": "eu-central-1", **fake.settings}, secrets=fake.credentials,
            hook_secrets={"current": hook_secret(kind)}, max_connections=4,
        )  # fmt: skip
        route = Route.objects.create(key="api", name="API", is_default=True)
        RouteMember.objects.create(route=route, account=account)
        campaign = send(12, route, redis)
        for number, sent in enumerate(fake.sent):
            what = {0: What.HARD, 1: What.SOFT, 2: What.COMPLAINED}.get(number, What.DELIVERED)
            happening = Happening(what, sent, f"id-{number + 1}", datetime.now(UTC), number)
            assert _posted(happening, kind, hooks.hook_address(account)) == 200
        assert _posted(happening, kind, hooks.hook_address(account), forged=True) in (401, 503)
    assert process_receipts(now=timezone.now()) == 12
    assert progress_of(campaign.pk) == recount(campaign.pk) == Progress(accepted=12)
    bounced, soft, complained = (Contact.objects.get(email=sent.recipient).pk for sent in fake.sent[:3])
    told = Event.objects.filter(campaign_id=campaign.pk)  # tables that Django does not manage are never flushed
    events = set(told.values_list("kind", "bounce_kind", "contact_id"))
    others = set(Contact.objects.values_list("pk", flat=True)) - {bounced, soft, complained}
    assert events == {("bounced", "hard", bounced), ("bounced", "soft", soft), ("complained", "", complained)} | {
        ("delivered", "", pk) for pk in others
    }
    keys = Contact.objects.filter(pk__in=[bounced, complained]).values_list("address_key", "pk")
    assert sorted(Suppression.objects.values_list("address_key", "reason")) == sorted(
        (key, "hard_bounce" if pk == bounced else "complaint") for key, pk in keys
    )
    assert [(refusal.account, refusal.n_calls) for refusal in HookRefusal.objects.all()] == [(account, 1)]
    assert Receipt.objects.count() == 12


def _posted(happening: Happening, kind: str, address: str, *, forged: bool = False) -> int:
    call = hook_call(happening, kind, address)
    headers = {"Content-Type": "application/json", **({} if forged else call.headers)}
    body = call.body.replace(b"Signature", b"Forgery") if forged else call.body
    request = urllib.request.Request(address + call.query, body, headers)  # noqa: S310 - the live server's
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
