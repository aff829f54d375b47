"""The smoke test: a campaign through web, beat, workers and SMTP over real sockets, compared with what arrived."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from delivery.models import Receipt
from delivery.progress import Progress, progress_of, recount
from delivery.reports import Report, report_of
from deploy.demo import setup
from deploy.demo.credentials import make_password
from deploy.demo.findings import Seen, differences, duplicates_of, lost_of, strangers_of
from deploy.demo.ports import Ports
from deploy.demo.programs import programs_of
from deploy.demo.sample.campaign import make_campaign, route_to_catcher
from deploy.demo.sample.loading import load_shop
from deploy.demo.supervisor import Supervisor

REPORTED = ("opened", "clicked", "unsubscribed", "complained")


@dataclass(frozen=True, slots=True)
class Result:
    """The JSON line; `problems` goes to people."""

    audience: int
    accepted: int
    deferred_then_accepted: int
    bounced: int
    opened: int
    clicked: int
    unsubscribed: int
    complained: int
    uncertain: int
    lost: int
    duplicates: int


@dataclass(slots=True)
class Smoke:
    """One run on an empty database; `say` gets texts for people."""

    ports: Ports
    var: Path
    say: Callable[[str], None]
    timeout_s: float = 180.0
    started: float = field(default_factory=time.monotonic)

    def run(self, n_contacts: int) -> tuple[Result, list[str]]:
        """The figures, and everything that is wrong with them; raises TimeoutError when it does not come to an end."""
        setup.migrate()
        setup.collect_static()
        now = timezone.now()
        shop = load_shop(n_contacts, now=now)
        route_to_catcher(self.ports.smtp, per_second=None)
        admin = setup.ensure_admin(make_password())
        self._note(f"{n_contacts} contacts to mail are there; starting all processes ...")
        supervisor = Supervisor(self.var / "log", self.say)
        try:
            supervisor.start(programs_of(self.ports, self.var, pace="smoke"))
            setup.wait_until_ready(self.ports, meanwhile=supervisor.look_after)
            self._note("all processes answer; scheduling the campaign ...")
            now = timezone.now()
            campaign = make_campaign(shop, by=admin, send_at=now + timedelta(seconds=1), now=now)
            seen = self._watch(campaign, supervisor)
        finally:
            self._note("stopping all processes ...")
            supervisor.stop()
            self._note("stopped.")
        return self._judge(campaign, shop.reached, seen)

    def _watch(self, campaign: Campaign, supervisor: Supervisor) -> Seen:
        """Waits until all messages have their end and all that readers did has arrived."""
        until = time.monotonic() + self.timeout_s
        said = ""
        while time.monotonic() < until:
            supervisor.look_after()
            if supervisor.is_hopeless:
                break
            campaign.refresh_from_db()
            progress, seen = progress_of(campaign.pk), self._seen()
            line = f"{campaign.state}: {in_words(progress)}; {seen.n_waiting} acts of readers to come"
            if line != said:
                self._note(line)
                said = line
            if campaign.state == Campaign.State.FINISHED and seen.n_waiting == 0 and not _open_figures(campaign, seen):
                return seen
            time.sleep(1)
        self._note("The smoke test did not come to an end in time; these are the figures as they are.")
        return self._seen()

    def _note(self, text: str) -> None:
        self.say(f"{time.monotonic() - self.started:5.1f} s  {text}")

    def _seen(self) -> Seen:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.catcher}/record.json", timeout=20) as answer:
            return Seen.from_json(json.loads(answer.read()))

    def _judge(self, campaign: Campaign, expected: frozenset[str], seen: Seen) -> tuple[Result, list[str]]:
        progress, counted = progress_of(campaign.pk), recount(campaign.pk)
        report = _report_of(campaign)
        lost, duplicates = lost_of(expected, seen), duplicates_of(seen)
        result = Result(
            audience=progress.total,
            accepted=seen.n_accepted,
            deferred_then_accepted=len(seen.deferred_then_accepted),
            bounced=report.people("bounced", machines=True),
            **{name: report.people(name) for name in REPORTED},
            uncertain=progress.uncertain,
            lost=len(lost),
            duplicates=duplicates,
        )
        problems = differences(
            {
                "audience": (progress.total, len(expected)),
                "audience, frozen": (campaign.audience.n_total, len(expected)),
                "accepted": (progress.accepted, seen.n_accepted),
                "refused": (progress.refused, len(seen.refused)),
                "waiting": (progress.waiting, 0),
                **{name: (n, asdict(counted)[name]) for name, n in asdict(progress).items()},
                **_open_figures(campaign, seen),
            }
        )
        problems += [f"mailed without being asked for: {address}" for address in sorted(strangers_of(expected, seen))]
        problems += [f"lost: {address}" for address in sorted(lost)[:10]]
        problems += [f"not done: {failure}" for failure in seen.failures]
        return result, problems + ([f"{duplicates} messages came twice"] if duplicates else [])


def database_is_empty() -> bool:
    """Whether the database holds no tables: the smoke test writes into no other."""
    return not connection.introspection.table_names()


def in_words(progress: Progress) -> str:
    """The states that have messages, as "n state", the biggest first."""
    states = sorted(asdict(progress).items(), key=lambda item: -item[1])
    return ", ".join(f"{n:,} {name}" for name, n in states if n) or "nothing yet"


def _open_figures(campaign: Campaign, seen: Seen) -> dict[str, tuple[int, int]]:
    """Figures of the report that are not (yet) what the catcher saw, as (the database's, the true one)."""
    report = _report_of(campaign)
    figures = {name: (report.people(name, machines=True), len(seen.who(name))) for name in REPORTED}
    figures["bounced"] = (report.people("bounced", machines=True), len(seen.bounced))
    figures["mails not parsed"] = (Receipt.objects.filter(processed_at=None).count(), 0)
    return {name: pair for name, pair in figures.items() if pair[0] != pair[1]}


def _report_of(campaign: Campaign) -> Report:
    return report_of(campaign.pk, since=campaign.launched_at or campaign.created_at)
