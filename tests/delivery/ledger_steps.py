"""The steps of a lease holder, one by one, for tests that look at the ledger alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from campaigns.models import Campaign
from delivery.models import Batch
from delivery.outcomes import Outcome, Result
from delivery.progress import Progress, progress_of, recount
from delivery.sending import ledger
from delivery.sending.lease import Lease, Settled
from tests.delivery.factories import only_batch

ACCEPTED = Outcome(Result.ACCEPTED, 250, "2.0.0", "Ok: queued as 1", "1")
DEFERRED = Outcome(Result.DEFERRED, 451, "4.7.1", "Greylisted\ttry\\again\nlater \0")


def no_refusals(lease: Lease, settled: Sequence[Settled], now: datetime) -> None:
    """These tests look at the ledger alone."""


def claim(campaign: Campaign, worker: str = "w-1") -> Lease:
    lease = ledger.claim_batch(only_batch(campaign).route_id, campaign.pk, worker=worker)
    assert lease is not None
    lease.people = ledger.read_people(lease, ledger.audience_of(campaign.pk))
    return lease


def claim_attempt(campaign: Campaign, attempt: int) -> Lease:
    """The batch of messages that are tried for the `attempt`th time."""
    batch = Batch.objects.get(campaign_id=campaign.pk, attempt=attempt)
    lease = ledger.claim_batch(batch.route_id, campaign.pk, worker="w-1")
    assert lease is not None
    assert lease.batch_id == batch.pk
    lease.people = ledger.read_people(lease, ledger.audience_of(campaign.pk))
    return lease


def settled(
    lease: Lease, *positions: int, outcome: Outcome = ACCEPTED, due_at: datetime | None = None
) -> list[Settled]:
    return [Settled(p, lease.people[p - lease.start].contact_id, None, outcome, due_at) for p in positions]


def advance(lease: Lease, begun: int, items: Sequence[Settled] = (), *, retry: bool = False) -> str:
    journaled = ledger.advance(lease, begun, items, refusals=no_refusals, retry=retry)
    lease.n_begun = begun
    return journaled.state


def expire_lease(campaign: Campaign) -> None:
    Batch.objects.filter(campaign_id=campaign.pk).update(lease_until=timezone.now() - timedelta(hours=1))


def assert_adds_up(campaign: Campaign, expected: Progress) -> None:
    assert progress_of(campaign.pk) == expected
    assert recount(campaign.pk) == expected
