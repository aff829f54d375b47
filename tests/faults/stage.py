"""The stage of the faults suite: servers of its own, real Celery workers, a recording SMTP server, and the accounts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import environ
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

from campaigns.models import Campaign
from campaigns.services import launch_campaign
from contacts.addresses import normalise_address
from contacts.models import Contact, MailingList, Subscription
from delivery.models import Batch, Deferral, Route
from delivery.outcomes import Result
from delivery.progress import Progress, progress_of, recount
from deploy import embedded
from tests.delivery.factories import make_account, make_brand, make_campaign, make_route
from tests.delivery.smtp.scripted import On, Received, ScriptedServer, in_thread

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 40
STATES = """
SELECT c.email, o.result FROM delivery_message m JOIN contacts_contact c ON c.id = m.contact_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
WHERE m.campaign_id = %s
"""


class Worker:
    """One `celery worker` with its children, in a process group of its own."""

    def __init__(self, directory: Path, name: str, *arguments: str, environment: dict[str, str]) -> None:
        self.log = directory / f"{name}.log"
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.worker_app", "worker", "-n", f"{name}@test"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle", "--pool", "prefork", "-l", "INFO", *arguments],
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=os.environ | environment | {"FAULTS_DIR": str(directory), "DATABASE_POOL_SIZE": "3"},
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Returns once it takes tasks."""
        wait_for(lambda: "ready." in self.log.read_text(), f"{self.log.name}: ready")

    def signal(self, number: signal.Signals) -> None:
        """To the parent alone, as an operator or systemd does."""
        self._process.send_signal(number)

    def signal_all(self, number: signal.Signals) -> None:
        """To the parent and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self) -> int:
        """Its exit code, once it is gone."""
        return self._process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Afterwards none of its processes lives."""
        self.signal_all(signal.SIGKILL)
        self._process.wait()


@dataclass
class Stage:
    """What a test of this suite works on."""

    servers: embedded.Servers
    directory: Path
    workers: dict[str, Worker] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> Worker:
        """A worker that is not up yet is, afterwards; its name is its role."""
        if name not in self.workers:
            environment = self.servers.environment() | {"PYTHONPATH": str(ROOT)}
            self.workers[name] = Worker(self.directory, name, *arguments, environment=environment)
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

    def arm(self, point: str, *, nth: int = 1, action: str = "kill") -> None:
        """The first drain from now on that gets to `point` for the nth time suffers it."""
        unfinished = self.directory / "unfinished"
        unfinished.write_text(json.dumps({"point": point, "nth": nth, "action": action}))
        unfinished.rename(self.directory / "armed")

    @property
    def is_armed(self) -> bool:
        """Whether the fault has not struck yet."""
        return (self.directory / "armed").exists()

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


def _point_django_at(database: dict[str, object], redis_url: str) -> None:
    connection.close()
    connection.close_pool()
    for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD"):
        connection.settings_dict[key] = database[key]
    settings.REDIS_URL = redis_url


class Post:
    """A recording SMTP server that can go away and come back; `received` survives that."""

    def __init__(self, *rules: On) -> None:
        self.rules = list(rules)
        self.port = 0
        self.received: list[Received] = []
        self.received_at: list[float] = []
        self._stack = contextlib.ExitStack()

    def open(self) -> None:
        """It answers, always on the same port."""
        server = ScriptedServer(port=self.port)
        server.rules = self.rules
        server.received = _Stamped(self.received, self.received_at)
        self.port = self._stack.enter_context(in_thread(server)).port

    def close(self) -> None:
        """Connections break and new ones are refused."""
        self._stack.close()

    def __enter__(self) -> Post:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def taken(self) -> Counter[str]:
        """Times each address was taken responsibility for: answered 2yz, or not answered after the final dot."""
        return Counter(m.recipient.decode() for m in self.received if m.reply[:1] in (b"2", b""))


class _Stamped(list[Received]):
    """Keeps what a server receives in a list that outlives it, and when it came."""

    def __init__(self, kept: list[Received], times: list[float]) -> None:
        super().__init__(kept)
        self._kept, self._times = kept, times

    def append(self, message: Received) -> None:
        super().append(message)
        self._kept.append(message)
        self._times.append(time.monotonic())

    def __setitem__(self, at: int, message: Received) -> None:  # type: ignore[override]
        super().__setitem__(at, message)
        self._kept[at] = message


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
    assert not isinstance(address, str)
    return Contact(email=email, address=address.address, address_key=address.key, domain=address.domain)


def launch(n: int, post: Post, *, domains: int = 1, **limits: object) -> Campaign:
    """A launched campaign to n readers through `post`, on a route of its own, alone under way."""
    Campaign.objects.exclude(state="finished").update(state="cancelled")
    Route.objects.update(is_default=False)
    make_route(make_account(port=post.port, **{"max_connections": 4, **limits}))
    campaign = make_campaign(make_audience(n, domains=domains))
    assert launch_campaign(campaign.pk, now=datetime.now(UTC))
    return campaign


def emails_of(campaign: Campaign) -> list[str]:
    """Everybody on the campaign's lists, oldest first."""
    people = Contact.objects.filter(subscriptions__mailing_list__in=campaign.send_to.all())
    return list(people.order_by("pk").values_list("email", flat=True))


def route_of(campaign: Campaign) -> Route:
    """The route of its batches."""
    return Batch.objects.filter(campaign_id=campaign.pk)[0].route


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Asks every 50 ms until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.05)


def state_of(campaign: Campaign) -> str:
    """The campaign's state now."""
    return Campaign.objects.values_list("state", flat=True).get(pk=campaign.pk)


def wait_until_finished(campaign: Campaign) -> None:
    """It finishes by itself; what was deferred for minutes is due at once."""

    def is_finished() -> bool:
        Deferral.objects.filter(taken_at=None).update(due_at=Now())
        return state_of(campaign) == "finished"

    wait_for(is_finished, f"the end of campaign {campaign.pk}")


def assert_accounts(
    campaign: Campaign, post: Post, *, most_uncertain: int = 0, explained: Mapping[str, Result] | None = None
) -> Progress:
    """Nobody twice, nobody lost, the numbers add up; `explained`: who ends otherwise, as the server's answers say."""
    explained = explained or {}
    progress = progress_of(campaign.pk)
    assert progress == recount(campaign.pk)
    with connection.cursor() as cursor:
        cursor.execute(STATES, [campaign.pk])
        rows = cursor.fetchall()
    states = dict(rows)
    assert len(rows) == len(states) == progress.total
    assert sorted(states) == sorted(emails_of(campaign))
    ends = {email: Result(result) for email, result in states.items()}
    taken = Counter({email: n for email, n in post.taken.items() if email in ends})
    assert {email: n for email, n in taken.items() if n > 1} == {}
    assert {e for e, end in ends.items() if end is Result.ACCEPTED} - taken.keys() == set()
    assert {e for e in taken if ends[e] not in (Result.ACCEPTED, Result.UNCERTAIN)} == set()
    others = {e: end for e, end in ends.items() if end not in (Result.ACCEPTED, Result.UNCERTAIN)}
    assert others == {e: end for e, end in explained.items() if ends[e] is not Result.UNCERTAIN}
    assert progress.uncertain <= most_uncertain
    return progress
