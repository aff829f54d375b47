"""`manage.py reclassify_bounces`: judges bounces of the past by today's rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from delivery.inbound.rules import RULES_VERSION
from delivery.services.reclassifying import EVER, Reclassified, reclassify_bounces


class Command(BaseCommand):
    """Each event keeps the rule and the version of the rules that judged it."""

    help = "Judge bounces, deferrals and rejections of the past by today's rules."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether for real."""
        parser.add_argument("--since", help="Those since this date (UTC), such as 2026-11-01.")
        parser.add_argument("--all", action="store_true", help="Those that today's rules judged already, too.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and change nothing.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Judge, and say what changed."""
        since = _day(options["since"]) if options["since"] else EVER
        done = reclassify_bounces(
            since=since, everything=options["all"], dry_run=options["dry_run"], now=timezone.now()
        )
        self.stdout.write(_told(done, dry_run=options["dry_run"]))


def _day(text: str) -> datetime:
    try:
        return timezone.make_aware(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError as problem:
        raise CommandError(f"{text!r} is no date such as 2026-11-01.") from problem


def _told(done: Reclassified, *, dry_run: bool) -> str:
    lines = [f"{done.n_judged} events judged by version {RULES_VERSION} of the rules; {done.changes.total()} differ."]
    lines += [f"  {old or 'none'} -> {new}: {n}" for (old, new), n in done.changes.most_common()]
    lines.append(f"{done.n_suppressed} addresses were suppressed." if not dry_run else "Nothing was changed (dry run).")
    if done.doubtful:
        people = ", ".join(map(str, sorted(done.doubtful)[:50]))
        lines.append(f"{len(done.doubtful)} contacts are suppressed for a bounce that would not do it today: {people}.")
    return "\n".join(lines)
