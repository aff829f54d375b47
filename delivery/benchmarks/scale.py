"""`bench scale`: what the send path's statements cost in an empty house, and among millions of old messages.

Milliseconds wander with the machine; the pages that a statement touches do not, so these are told as well.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Brand
from delivery.benchmarks.fixture import Shape, launch, make_audience, make_route
from delivery.models import Batch, Route
from delivery.outcomes import Outcome, Result
from delivery.partitions import CAMPAIGNS_PER_PARTITION
from delivery.progress import PROGRESS, progress_of
from delivery.sending import ledger
from delivery.sending.lease import Settled
from delivery.services import dispatch, finishing, planning, sweeping

OLD_CAMPAIGN = 100_000  # messages in each old campaign
N_BATCHES = 40  # at most: leased, read, journaled and ended in each measurement
STEP = 50

TAKEN = Outcome(Result.ACCEPTED, 250, "2.0.0")

# Old campaigns get partitions of their own, filled before they have indexes: 50 million rows take minutes, not hours.
OLD_MESSAGES = """
INSERT INTO {table} (campaign_id, contact_id, variant_id, batch_id, position)
SELECT c, i, c, %(first_batch)s + (c - %(low)s) * (%(size)s / 1000) + (i - 1) / 1000, (i - 1) %% 1000
FROM generate_series(%(low)s, %(high)s) c, generate_series(1, %(size)s) i
"""
OLD_OUTCOMES = """
INSERT INTO {table} (campaign_id, batch_id, position, contact_id, result, account_id, code, enhanced, reply,
    provider_id, at)
SELECT campaign_id, batch_id, position, contact_id, 1, %(account)s, 250, '2.0.0', '', '', now() - interval '90 days'
FROM {source}
"""
OLD_BATCHES = """
INSERT INTO delivery_batch (campaign_id, route_id, site, attempt, state, due_at, n_messages, n_begun, fence, leased_by,
    finished_at, n_accepted, n_deferred, n_refused, n_failed, n_uncertain, n_suppressed, n_expired, n_cancelled)
SELECT c, %(route)s, '', 1, 'finished', now(), 1000, 1000, 1, '', now(), 1000, 0, 0, 0, 0, 0, 0, 0
FROM generate_series(%(low)s, %(high)s) c, generate_series(1, %(size)s / 1000) ORDER BY c
RETURNING id
"""


@dataclass(frozen=True)
class Options:
    """The command line."""

    old: int = 50_000_000
    recipients: int = 100_000


def measure_scale(options: Options) -> dict[str, Any]:
    """Milliseconds per statement without and with old messages, and how many times as long they took."""
    route = make_route("127.0.0.1", 1, 10)
    shape = Shape(options.recipients, 10, 5)
    audience = make_audience(shape)
    measure_campaign(launch(audience, route, shape, now=timezone.now()))  # caches are warm
    alone, pages_alone = measure_campaign(launch(audience, route, shape, now=timezone.now()))
    start = time.monotonic()
    n_old = add_old_messages(options.old, route)
    filled = time.monotonic() - start
    among, pages_among = measure_campaign(launch(audience, route, shape, now=timezone.now()))
    return {
        "old_messages": n_old,
        "fill_s": round(filled),
        "ms_alone": alone,
        "ms_among_old": among,
        "ratio": {name: round(among[name] / alone[name], 2) for name in alone},
        "pages_alone": pages_alone,
        "pages_among_old": pages_among,
    }


def add_old_messages(n: int, route: Route) -> int:
    """Finished campaigns of 100,000 messages with their outcomes, whole partitions of a hundred at a time."""
    account = route.accounts.get().pk
    newest = Campaign.objects.order_by("-pk").values_list("pk", flat=True)[0]
    low = (newest // CAMPAIGNS_PER_PARTITION + 1) * CAMPAIGNS_PER_PARTITION
    n_added = 0
    while n_added < n:
        n_campaigns = min(CAMPAIGNS_PER_PARTITION, -(-(n - n_added) // OLD_CAMPAIGN))
        _add_partition(low, n_campaigns, route.pk, account)
        low += CAMPAIGNS_PER_PARTITION
        n_added += n_campaigns * OLD_CAMPAIGN
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE campaigns_campaign")
        cursor.execute("SELECT setval(pg_get_serial_sequence('campaigns_campaign', 'id'), %s)", [low])
        cursor.execute("VACUUM ANALYZE delivery_batch")
    return n_added


def _add_partition(low: int, n_campaigns: int, route_id: int, account_id: int) -> None:
    high = low + n_campaigns - 1
    brand = Brand.objects.get(slug="bench")
    old = [Campaign(pk=pk, brand=brand, name="Old", route_key="old", state="finished") for pk in range(low, high + 1)]
    Campaign.objects.bulk_create(old)
    params = {"low": low, "high": high, "size": OLD_CAMPAIGN, "route": route_id, "account": account_id}
    with connection.cursor() as cursor:
        cursor.execute(OLD_BATCHES, params)
        first_batch = min(row[0] for row in cursor.fetchall())
        message, outcome = f"delivery_message_{low}", f"delivery_outcome_{low}"
        for table, parent in ((message, "delivery_message"), (outcome, "delivery_outcome")):
            cursor.execute(f"CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(OLD_MESSAGES.format(table=message), params | {"first_batch": first_batch})
        cursor.execute(OLD_OUTCOMES.format(table=outcome, source=message), params)
        for table, parent in ((message, "delivery_message"), (outcome, "delivery_outcome")):
            bounds = f"FROM ({low}) TO ({low + CAMPAIGNS_PER_PARTITION})"
            cursor.execute(f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES {bounds}")
            cursor.execute(f"ANALYZE {table}")


def measure_campaign(campaign: Campaign) -> tuple[dict[str, float], dict[str, int]]:
    """Milliseconds (medians), for the whole campaign in `plan`, else for one statement or batch; and pages."""
    found: dict[str, list[float]] = {}

    def timed(name: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        found.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        return result

    timed("plan", lambda: planning.plan_next_campaign(now=timezone.now()))
    route_id = Route.objects.get(key=campaign.route_key).pk
    audience = ledger.audience_of(campaign.pk)
    pages = _pages(campaign.pk, route_id, audience)
    for _ in range(min(N_BATCHES, Batch.objects.filter(campaign_id=campaign.pk).count())):
        timed("dispatch", partial(dispatch.routes_to_drain, now=timezone.now()))
        timed("campaigns_with_work", lambda: ledger.campaigns_with_work(route_id))
        lease = timed("claim", lambda: ledger.claim_batch(route_id, campaign.pk, worker="bench"))
        lease.people = timed("read_people", partial(ledger.read_people, lease, audience))
        for at in range(0, lease.n_messages, STEP):
            items = [Settled(p.position, p.contact_id, None, TAKEN) for p in lease.people[at : at + STEP]]
            step = partial(ledger.advance, lease, at + len(items), items, refusals=lambda *_: None)
            timed("journal", step)
        timed("progress", lambda: progress_of(campaign.pk))
        timed("end", partial(ledger.end_lease, lease))
        timed("sweep", sweeping.sweep_dead_leases)
        timed("finish", lambda: finishing.finish_done_campaigns(now=timezone.now()))
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    finishing.settle_cancelled()
    return {name: round(statistics.median(values), 3) for name, values in found.items()}, pages


def _pages(campaign_id: int, route_id: int, audience: dict[str, Any]) -> dict[str, int]:
    """Pages that the statements touch at the start of a campaign; nothing of it stays."""
    claim = {"route": route_id, "campaign": campaign_id, "worker": "bench", "seconds": 60, "held": []}
    batch = Batch.objects.filter(campaign_id=campaign_id, n_messages=1000).order_by("pk")[0].pk
    people = {**audience, "campaign": campaign_id, "batch": batch, "start": 0}
    with transaction.atomic():
        found = {
            "campaigns_with_work": _count_pages(ledger.CAMPAIGNS_WITH_WORK, [route_id, []]),
            "claim": _count_pages(ledger.CLAIM, claim),
            "read_people": _count_pages(ledger.READ_PEOPLE, people),
            "finish": _count_pages(finishing.DONE, []),
            "sweep": _count_pages(sweeping.DEAD, []),
            "progress": _count_pages(PROGRESS, {"campaign": campaign_id}),
        }
        transaction.set_rollback(True)
    return found


def _count_pages(statement: str, params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)  # hint bits are set, catalogues are read
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json) " + statement, params)
        row = cursor.fetchone()
    plan = (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"] if row else {}
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
