"""What ticks do for control: sites by MX record, warm-ups judged by what came back; and test messages in front."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from delivery.events import NewEvent, append_events
from delivery.limits.permits import Ask, take
from delivery.limits.values import Share
from delivery.models import Batch, Message, ProviderAccount, RecipientSite, SiteProfile, WarmUp
from delivery.outcomes import Outcome, Result
from delivery.partitions import ensure_event_partitions
from delivery.sending import ledger
from delivery.sending.front import wait_in_front
from delivery.sending.lease import Settled
from delivery.sending.scopes import account_scope
from delivery.services.resolving import resolve_sites
from delivery.services.warming import judge_warm_ups
from delivery.sites import Found
from tests.delivery.factories import make_account, make_route, make_sending

pytestmark = pytest.mark.django_db


def test_new_domains_get_the_site_that_dns_tells_and_silent_ones_are_asked_again() -> None:
    now = timezone.now()
    for domain in ("shop.example", "silent.example"):
        RecipientSite.objects.create(domain=domain, site=domain, ask_at=now)
    later = RecipientSite.objects.create(domain="later.example", site="later.example", ask_at=now + timedelta(days=1))
    answers = {"shop.example": Found("google"), "silent.example": None}
    assert resolve_sites(answers.__getitem__, now=now) == 1
    shop, silent = RecipientSite.objects.get(pk="shop.example"), RecipientSite.objects.get(pk="silent.example")
    assert (shop.site, shop.resolved_at, shop.ask_at) == ("google", now, now + timedelta(days=7))
    assert (silent.site, silent.resolved_at, silent.ask_at) == ("silent.example", None, now + timedelta(hours=1))
    assert RecipientSite.objects.get(pk=later.pk).ask_at == later.ask_at
    assert resolve_sites(answers.__getitem__, now=now) == 0


def test_known_domains_need_no_dns_and_operators_add_exchangers() -> None:
    from delivery.services.resolving import site_suffixes

    SiteProfile.objects.update_or_create(site="hoster", defaults={"mx_suffixes": [" mx.hoster.example. "]})
    suffixes = site_suffixes()
    assert suffixes[".mx.hoster.example"] == "hoster"
    assert suffixes[".google.com"] == "google"
    now = timezone.now()
    RecipientSite.objects.create(domain="gmail.com", site="gmail.com", ask_at=now)
    assert resolve_sites(now=now) == 1
    assert RecipientSite.objects.get(pk="gmail.com").site == "google"


def sent_by(account: ProviderAccount, n: int, *, bounced: int = 0, complained: int = 0) -> None:
    """A campaign of `n` accepted messages, so many of which came back."""
    campaign = make_sending(n, route=make_route(account))
    batch = Batch.objects.get(campaign_id=campaign.pk)
    lease = ledger.claim_batch(batch.route_id, campaign.pk, worker="w")
    assert lease is not None
    people = list(Message.objects.filter(campaign_id=campaign.pk).order_by("position"))
    items = [Settled(m.position, m.contact_id, account.pk, Outcome(Result.ACCEPTED, 250)) for m in people]
    ledger.advance(lease, n, items, refusals=lambda *_: None)
    now = timezone.now()
    ensure_event_partitions(now)
    import uuid

    kinds = ["bounced"] * bounced + ["complained"] * complained
    append_events(
        [
            NewEvent(
                kind=kind,
                event_key=uuid.uuid4(),
                occurred_at=now,
                campaign_id=campaign.pk,
                contact_id=message.contact_id,
                bounce_kind="hard" if kind == "bounced" else "",
            )
            for kind, message in zip(kinds, people, strict=False)
        ],
        now=now,
    )


def warm_up_of(account: ProviderAccount) -> WarmUp:
    return WarmUp.objects.create(account=account, started_on=timezone.now().date() - timedelta(days=3))


def test_a_warm_up_goes_on_while_mail_is_well_received() -> None:
    account = make_account()
    warm_up = warm_up_of(account)
    sent_by(account, 150, bounced=2)
    assert judge_warm_ups(now=timezone.now()) == 0
    warm_up.refresh_from_db()
    today = timezone.now().date()
    assert (warm_up.stopped_at, warm_up.held_days, warm_up.last_sent_on) == (None, 0, today)
    assert warm_up.cap_on(today) == warm_up.caps.cap(3)


def test_bounces_stop_a_warm_up_in_words_and_nothing_is_sent_until_somebody_looks() -> None:
    account = make_account()
    warm_up = warm_up_of(account)
    sent_by(account, 150, bounced=5)
    assert judge_warm_ups(now=timezone.now()) == 1
    assert judge_warm_ups(now=timezone.now()) == 0
    warm_up.refresh_from_db()
    assert warm_up.stopped_reason == "3.3% of 150 messages bounced; a warm-up stops above 3%"
    assert warm_up.cap_on(timezone.now().date()) == 0


def test_a_few_complaints_stop_and_other_accounts_mail_counts_for_nothing() -> None:
    account, other = make_account(), make_account()
    warm_up, untouched = warm_up_of(account), warm_up_of(other)
    sent_by(account, 150, complained=1)
    assert judge_warm_ups(now=timezone.now()) == 1
    warm_up.refresh_from_db()
    untouched.refresh_from_db()
    assert "drew a complaint" in warm_up.stopped_reason
    assert (untouched.stopped_at, untouched.last_sent_on) == (None, None)


def test_a_test_message_is_charged_and_goes_before_campaigns(redis: Redis) -> None:
    account = make_account(messages_per_second=20)
    scope = account_scope(account, timezone.now())
    while take(redis, Ask((scope,), n=1, share=Share("17"))).n:
        pass
    assert wait_in_front(redis, account) == ""
    refused = take(redis, Ask((scope,), n=1, share=Share("17")))
    assert refused.n == 0


def test_a_used_up_day_says_so_to_who_sends_a_test_message(redis: Redis) -> None:
    account = make_account(messages_per_day=1)
    assert wait_in_front(redis, account) == ""
    assert "1 per day" in wait_in_front(redis, account)
