"""`manage.py reclassify`: opens and clicks on record are judged by today's rules; safe to stop and to repeat."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from delivery.services.rejudging_hits import campaigns_to_reclassify, reclassify_campaign
from delivery.tracking.rules import VERSION


class Command(BaseCommand):
    """After a change of the rules or of the network lists."""

    help = "Judge opens and clicks on record by today's rules for machines."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which campaigns; all of them without options."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--campaign", type=int, help="Id of one campaign.")
        which.add_argument("--since", type=_day, help="Campaigns opened or clicked since that day (2026-11-30).")
        parser.add_argument("--dry-run", action="store_true", help="Count what would change; write nothing.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """One line per campaign."""
        one = options["campaign"]
        campaigns = [one] if one is not None else campaigns_to_reclassify(options["since"])
        n_events = n_changed = 0
        for campaign_id in campaigns:
            steps = list(reclassify_campaign(campaign_id, write=not options["dry_run"]))
            events, changed = sum(step.n_events for step in steps), sum(step.n_changed for step in steps)
            self.stdout.write(f"campaign {campaign_id}: {events} opens and clicks, {changed} verdicts differ")
            n_events, n_changed = n_events + events, n_changed + changed
        would = "would change" if options["dry_run"] else "changed"
        self.stdout.write(f"Rules version {VERSION}: {n_events} opens and clicks, {n_changed} {would}.")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as problem:
        raise ArgumentTypeError(f"{text} is no day such as 2026-11-30.") from problem
