"""The stage of the faults suite: servers of its own, real workers on them, campaigns on routes of their own."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import environ
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

from campaigns.models import Campaign
from contacts.addresses import Address, normalise_address
from contacts.models import Contact, MailingList, Subscription
from delivery.models import Deferral, Route
from deploy import embedded
from tests.delivery.factories import make_account, make_brand, make_campaign, make_route
from tests.faults.process import PATIENCE_SECONDS, Worker, wait_for


@dataclass
class Stage:
    """What a test of this suite works on."""

    servers: embedded.Servers
    directory: Path
    workers: dict[str, Worker] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> Worker:
        """A worker that is not up yet is, afterwards; its name is its role."""
        if name not in self.workers:
            self.workers[name] = Worker(self.directory, name, *arguments, environment=self.servers.environment())
        return self.workers[name]

    def start_ticking(self) -> Worker:
        """Beat, and the worker for everything but sending."""
        beat = ("--beat", "--schedule", str(self.directory / "beat"))
        return self.start("ticks", "-Q", "plan,care,events", "-c", "1", *beat)

    def start_sending(self, name: str = "send", *, processes: int = 2) -> Worker:
        """A worker for drains."""
        return self.start(name, "-Q", "send", "-c", str(processes))

    def end(self, name: str) -> None:
        """The worker of that name is gone."""
        self.workers.pop(name).end()

    def arm(self, route: Route, point: str, *, nth: int = 1, action: str = "kill") -> None:
        """The first drain of the route that gets to `point` for the nth time suffers it."""
        unfinished = self.directory / f"unfinished-{route.pk}"
        unfinished.write_text(json.dumps({"point": point, "nth": nth, "action": action}))
        unfinished.rename(self.directory / f"armed-{route.pk}")

    def is_armed(self, route: Route) -> bool:
        """Whether the fault has not struck yet."""
        return (self.directory / f"armed-{route.pk}").exists()

    def give_drain(self, route: Route, times: int) -> None:
        """The same hint, so many times over."""
        options = {"global_keyprefix": settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]}
        with Celery(broker=self.servers.redis_url, broker_transport_options=options) as producer:
            for _ in range(times):
                producer.send_task("delivery.tasks.drain", [route.pk], queue="send")


@contextlib.contextmanager
def staged(servers: embedded.Servers, directory: Path) -> Iterator[Stage]:
    """This process's Django works on `servers`, migrated; all workers are gone afterwards."""
    kept, redis_url = dict(connection.settings_dict), settings.REDIS_URL
    _point_django_at(environ.Env.db_url_config(servers.database_url), servers.redis_url)
    stage = Stage(servers, directory)
    try:
        call_command("migrate", verbosity=0)
        yield stage
    finally:
        for worker in stage.workers.values():
            worker.end()
        _point_django_at(kept, redis_url)


def _point_django_at(database: dict[str, Any], redis_url: str) -> None:
    reconnect()
    for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD"):
        connection.settings_dict[key] = database[key]
    settings.REDIS_URL = redis_url


def reconnect() -> None:
    """The next query of this process opens a connection anew."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


def make_audience(n: int, *, domains: int = 1) -> MailingList:
    """A list of n confirmed readers; 200 or more at one domain get batches of their own."""
    mailing_list = MailingList.objects.create(brand=make_brand(), name=f"List {time.time_ns()}")
    mark = mailing_list.pk
    people = [_person(f"reader{mark}-{i}@shop{i % domains}.example") for i in range(n)]
    Contact.objects.bulk_create(people)
    Subscription.objects.bulk_create(
        Subscription(contact=person, mailing_list=mailing_list, state="confirmed") for person in people
    )
    return mailing_list


def _person(email: str) -> Contact:
    address = normalise_address(email)
    assert isinstance(address, Address)
    return Contact(email=email, address=address.address, address_key=address.key, domain=address.domain)


def prepare(n: int, port: int, *, domains: int = 1, **limits: Any) -> tuple[Campaign, Route]:
    """A campaign to n readers through a server at `port`, on a route of its own; not launched yet."""
    route = make_route(make_account(port=port, **{"max_connections": 4, **limits}), default=False)
    later = datetime.now(UTC) + timedelta(days=1)
    return make_campaign(make_audience(n, domains=domains), route_key=route.key, send_at=later), route


def launch(campaign: Campaign) -> None:
    """Its time has come; the next tick finds it."""
    Campaign.objects.filter(pk=campaign.pk).update(send_at=Now())


def state_of(campaign: Campaign) -> str:
    """The campaign's state now."""
    return Campaign.objects.values_list("state", flat=True).get(pk=campaign.pk)


def wait_until_finished(*campaigns: Campaign, seconds: float = PATIENCE_SECONDS) -> None:
    """They finish by themselves; what was deferred for minutes is due at once."""

    def are_finished() -> bool:
        Deferral.objects.filter(taken_at=None).update(due_at=Now())
        return {state_of(campaign) for campaign in campaigns} == {"finished"}

    wait_for(are_finished, f"the end of campaigns {[campaign.pk for campaign in campaigns]}", seconds=seconds)
