"""Routes of scripted servers, drained as a worker drains them; messages are the smallest there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from redis import Redis

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.models import Deferral, ProviderAccount, Route, RouteMember, ShapingMeasure
from delivery.outcomes import Outcome, Result
from delivery.progress import Progress, progress_of, recount
from delivery.sending.drain import Drained
from delivery.sending.lease import Lease, Person
from delivery.sending.worker import Worker
from delivery.services.planning import plan_next_campaign
from delivery.shaping.rules import Action
from delivery.smtp import Envelope
from tests.delivery.factories import make_account, make_list, make_preparing, make_readers
from tests.delivery.smtp.scripted import ScriptedServer


class PlainEnvelopes:
    """Builds no content."""

    def prepare(self, lease: Lease) -> None:
        """Nothing to prepare."""

    def make(self, lease: Lease, person: Person) -> Envelope | Outcome:
        if not person.mailable:
            return Outcome(Result.SUPPRESSED, text="stopped")
        return Envelope((lease, person), b"b@bounce.example", person.email.encode(), b"Subject: x\r\n\r\nx\r\n")


def drain(route: Route, redis: Redis, *, seconds: float = 20, worker: Worker | None = None) -> Drained:
    """One drain by a worker of its own, whose connections are closed afterwards."""
    own = worker or Worker()
    own.redis, own.envelopes = redis, PlainEnvelopes()  # type: ignore[assignment]
    try:
        return own.drain(route, seconds=seconds)
    finally:
        if worker is None:
            own.loop.run_until_complete(own.close())
            own.loop.close()


def drain_until(route: Route, redis: Redis, done: Callable[[], bool], *, seconds: float = 20) -> None:
    """Drains until `done`, as the ticks of a real installation would, for at most that long."""
    import time

    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        drain(route, redis, seconds=2)


def account_at(server: ScriptedServer, **limits: Any) -> ProviderAccount:
    return make_account(port=server.port, **{"max_connections": 4, **limits})


def route_of(*members: tuple[ProviderAccount, int, int]) -> Route:
    """Members are (account, rank, weight)."""
    route = Route.objects.create(
        key=f"pool-{Route.objects.count()}", name="Pool", is_default=not Route.objects.exists()
    )
    for account, rank, weight in members:
        RouteMember.objects.create(route=route, account=account, rank=rank, weight=weight)
    return route


def campaign_to(people: dict[str, int], **fields: Any) -> Campaign:
    """A planned campaign to so many readers at each domain."""
    mailing_list = make_list(name=f"List {Campaign.objects.count()}")
    for domain, n in people.items():
        make_readers(n, mailing_list, domain=domain)
    campaign = make_preparing(mailing_list, **fields)
    planned = plan_next_campaign(now=timezone.now())
    assert planned is not None
    campaign.refresh_from_db()
    return campaign


def domains(server: ScriptedServer) -> Counter[str]:
    """Accepted messages by domain."""
    return Counter(m.recipient.decode().rpartition("@")[2] for m in server.received if m.is_accepted)


def everybody_once(*servers: ScriptedServer) -> bool:
    """All contacts got one message, from whichever server."""
    got = Counter(m.recipient.decode() for server in servers for m in server.received if m.is_accepted)
    return got == Counter(Contact.objects.values_list("email", flat=True))


def assert_ends(campaign: Campaign, expected: Progress) -> None:
    assert progress_of(campaign.pk) == expected
    assert recount(campaign.pk) == expected


def make_due(campaigns: Sequence[Campaign]) -> None:
    Deferral.objects.filter(campaign_id__in=[c.pk for c in campaigns], taken_at=None).update(due_at=timezone.now())


def suspend_path(
    account: ProviderAccount, site: str, *, action: Action = Action.SUSPEND, value: int = 0
) -> ShapingMeasure:
    now = timezone.now()
    return ShapingMeasure.objects.create(
        rule="test",
        action=action,
        value=value,
        target=f"path:{account.pk}::{site}",
        account=account,
        site=site,
        reply="421 4.7.0 no",
        reason="suspended for 1 hour: it said so once",
        began_at=now - timedelta(seconds=1),
        until=now + timedelta(hours=1),
    )
