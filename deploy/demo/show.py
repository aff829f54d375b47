"""The demo: everything running with a sample shop and a campaign under way, until Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections, transaction
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from contacts.models import Brand
from contacts.services import create_api_key
from delivery.progress import Progress, progress_of
from delivery.reports import report_of
from delivery.watchdog import why_not_moving
from deploy.demo import setup
from deploy.demo.credentials import keep_credentials, make_password, read_credentials
from deploy.demo.environment import CREDENTIALS
from deploy.demo.ports import FIRST, Ports, moved
from deploy.demo.programs import programs_of
from deploy.demo.sample.campaign import make_campaign, route_to_catcher
from deploy.demo.sample.loading import SLUG, analyse, load_shop
from deploy.demo.supervisor import Supervisor
from deploy.demo.terminal import Terminal, bar, table
from deploy.embedded import servers_of

N_REACHED = 10_000
# 10,000 messages in about 70 s: long enough to watch, short enough to wait for.
PER_SECOND = 150.0
STARTS_AFTER = timedelta(seconds=20)  # the processes need some 10 s
TICK_SECONDS = 0.5
STILL_SECONDS = 10.0


@dataclass(slots=True)
class Demo:
    """One run in one checkout. Its servers run already; `run` stops them at the end."""

    ports: Ports
    var: Path
    terminal: Terminal = field(default_factory=Terminal)
    _hurry: bool = False

    def run(self) -> None:
        """Returns after SIGINT, SIGTERM or SIGHUP, with everything stopped and the data kept."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        supervisor = Supervisor(self.var / "log", self.terminal.say)
        try:
            campaign_id = self._set_up()
            with self.terminal.step("Starting web, workers, beat and the mail catcher"):
                supervisor.start(programs_of(self.ports, self.var / "demo", pace="demo"))
                setup.wait_until_ready(self.ports, meanwhile=supervisor.look_after)
            self._introduce(campaign_id)
            self._watch(campaign_id, supervisor)
        except KeyboardInterrupt:
            self.terminal.say()
        finally:
            self._stop(supervisor)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if not self._hurry:
            self._hurry = True  # what follows is stopping: a second Ctrl-C must not break it off
            raise KeyboardInterrupt

    def _set_up(self) -> int:
        say, step = self.terminal.say, self.terminal.step
        self.terminal.heading("Fanfare demo")
        for sentence in moved(self.ports, FIRST):
            say(f"  {sentence}")
        with step("Preparing the database"):
            setup.migrate()
        with step("Collecting the pages' files"):
            setup.collect_static()
        admin = setup.ensure_admin(self._password())
        route_to_catcher(self.ports.smtp, per_second=PER_SECOND)
        if not Brand.objects.filter(slug=SLUG).exists():
            with step(f"Loading a sample shop, {N_REACHED:,} people to mail and some who must not be mailed"):
                self._load(admin)
        campaign = Campaign.objects.filter(brand__slug=SLUG).order_by("pk").first()
        return campaign.pk if campaign is not None else 0

    def _load(self, admin: Any) -> None:
        """All or nothing: after a crash in the middle the next run begins anew."""
        now = timezone.now()
        with transaction.atomic():
            shop = load_shop(N_REACHED, now=now)
            _, text = create_api_key(shop.brand, "Demo key")
            make_campaign(shop, by=admin, send_at=timezone.now() + STARTS_AFTER, now=now)
            keep_credentials(CREDENTIALS, {"API_KEY": text})
        analyse()

    def _password(self) -> str:
        kept = read_credentials(CREDENTIALS)
        return (
            kept.get("ADMIN_PASSWORD")
            or keep_credentials(CREDENTIALS, {"ADMIN_PASSWORD": make_password()})["ADMIN_PASSWORD"]
        )

    def _introduce(self, campaign_id: int) -> None:
        origin = settings.PUBLIC_ORIGIN
        kept = read_credentials(CREDENTIALS)
        servers = servers_of(self.var)
        self.terminal.say()
        rows = [
            ("Admin", f"{origin}/admin/   user admin, password {kept['ADMIN_PASSWORD']}"),
            (
                "Mail catcher",
                f"http://127.0.0.1:{self.ports.catcher}/   receives all mail; receivers and readers are simulated",
            ),
        ]
        if campaign_id:
            rows.insert(1, ("Report", f"{origin}{reverse('delivery-report', args=[campaign_id])}"))
        rows += [
            ("PostgreSQL", f"127.0.0.1:{servers.postgres.port}, Redis 127.0.0.1:{servers.redis.port}, data in var/"),
            ("Logs", "var/log/"),
        ]
        self.terminal.pairs(rows)
        self.terminal.say("\n  Sync a customer, as a store would:\n")
        self.terminal.say(_curl(origin, kept.get("API_KEY", "KEY")))
        self.terminal.say(
            "\n  Ctrl-C stops everything; the data stays for the next time. make demo-reset starts over.\n"
        )

    def _watch(self, campaign_id: int, supervisor: Supervisor) -> None:
        """Shows the campaign until it has its end, then serves on."""
        is_shown = self._has_ended(campaign_id)
        if is_shown:
            self.terminal.say("  The sample campaign was sent before; make another one in the admin.")
        pace, trouble = Pace(), Trouble(self.terminal.say)
        while True:
            supervisor.look_after()
            if not is_shown:
                try:
                    is_shown = self._show_progress(campaign_id, pace, trouble)
                except OperationalError as problem:  # PostgreSQL was restarted under us: it comes back
                    self.terminal.say(f"  {problem}".splitlines()[0])
                    close_old_connections()
            time.sleep(TICK_SECONDS)

    def _has_ended(self, campaign_id: int) -> bool:
        ends = (Campaign.State.FINISHED, Campaign.State.CANCELLED)
        return not Campaign.objects.filter(pk=campaign_id).exclude(state__in=ends).exists()

    def _show_progress(self, campaign_id: int, pace: Pace, trouble: Trouble) -> bool:
        """True once the campaign has its end, which is shown as a table."""
        campaign = Campaign.objects.get(pk=campaign_id)
        progress = progress_of(campaign_id)
        now = time.monotonic()
        if campaign.state in (Campaign.State.FINISHED, Campaign.State.CANCELLED):
            self._show_result(campaign, progress)
            return True
        rate = pace.of(progress.done, now)
        trouble.look(campaign_id, progress, now)
        self.terminal.live(f"  {line_of(campaign, progress, rate)}", now=now)
        return False

    def _show_result(self, campaign: Campaign, progress: Progress) -> None:
        self.terminal.heading(f"  “{campaign.name}” is {campaign.get_state_display().lower()}")
        for line in table(result_rows(campaign, progress)):
            self.terminal.say(line)
        self.terminal.say("\n  Readers go on opening, clicking and leaving for some minutes: watch the report move.")

    def _stop(self, supervisor: Supervisor) -> None:
        self._hurry = True
        with self.terminal.step("Stopping web, workers, beat and the mail catcher"):
            supervisor.stop()
        with self.terminal.step("Stopping PostgreSQL and Redis"):
            servers_of(self.var).stop()
        self.terminal.say("  Stopped. make demo continues where this ended.")


@dataclass(slots=True)
class Pace:
    """Messages per second over the last 5 s."""

    _marks: list[tuple[float, int]] = field(default_factory=list)

    def of(self, n_done: int, now: float) -> float:
        """The rate, with `n_done` messages done at `now` (seconds)."""
        self._marks = [(at, n) for at, n in self._marks if now - at <= 5] + [(now, n_done)]
        first_at, first_n = self._marks[0]
        return (n_done - first_n) / (now - first_at) if now > first_at else 0.0


@dataclass(slots=True)
class Trouble:
    """Says why a campaign stands still, once per reason, when nothing moved for 10 s."""

    say: Callable[[str], None]
    _stands: tuple[Progress, float] | None = None
    _said: str = ""

    def look(self, campaign_id: int, progress: Progress, now: float) -> None:
        """To be called with the progress at `now` (seconds)."""
        if self._stands is None or self._stands[0] != progress:
            self._stands = (progress, now)
        elif now - self._stands[1] >= STILL_SECONDS:
            self._stands = (progress, now)
            reason = why_not_moving(campaign_id)
            if reason and reason != self._said:
                self._said = reason
                self.say(f"  Nothing moves: {reason}")


def line_of(campaign: Campaign, progress: Progress, rate: float) -> str:
    """How a campaign stands, in one line."""
    if not progress.total:
        return f"“{campaign.name}” is {campaign.get_state_display().lower()} ..."
    parts = [
        f"{number:,} {name}"
        for name, number in (
            ("accepted", progress.accepted),
            ("deferred", progress.deferred),
            ("refused", progress.refused),
            ("uncertain", progress.uncertain),
        )
        if number
    ]
    state = "" if campaign.state == Campaign.State.SENDING else f" {campaign.get_state_display().lower()}"
    return f"“{campaign.name}”{state} {bar(progress.done, progress.total)}  {', '.join(parts)}  {_pace(progress, rate)}"


def _pace(progress: Progress, rate: float) -> str:
    if not progress.waiting:
        return "all done"
    return "waiting for greylisting receivers" if progress.deferred == progress.waiting else f"{rate:.0f}/s"


def result_rows(campaign: Campaign, progress: Progress) -> list[tuple[str, str, str]]:
    """The result as names, numbers and remarks."""
    since = campaign.launched_at or campaign.created_at
    report = report_of(campaign.pk, since=since)
    seconds = ((campaign.finished_at or since) - since).total_seconds()
    rows = [
        ("audience", progress.total, f"in {seconds:.0f} s, at most {PER_SECOND:.0f} per second"),
        ("accepted", progress.accepted, "some of them after a greylisting receiver's pause"),
        ("refused", progress.refused, "with the receiver's words in the report"),
        ("uncertain", progress.uncertain, "a worker died in the middle; not sent again")
        if progress.uncertain
        else None,
        ("bounced", report.people("bounced", machines=True), "refused, or returned by a delivery report"),
        ("opened", report.people("opened"), f"people; {report.people('opened', machines=True):,} with machines"),
        ("clicked", report.people("clicked"), f"people; {report.people('clicked', machines=True):,} with machines"),
        ("unsubscribed", report.people("unsubscribed"), ""),
        ("complained", report.people("complained"), ""),
    ]
    return [(name, f"{number:,}", note) for name, number, note in filter(None, rows)]


def _curl(origin: str, key: str) -> str:
    body = '{"profiles": [{"email": "ada@example.com", "first_name": "Ada"}]}'
    return (
        f"  curl {origin}/api/v1/profiles/bulk -H 'Authorization: Bearer {key}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{body}'"
    )
