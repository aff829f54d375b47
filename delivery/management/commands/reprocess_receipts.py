"""`manage.py reprocess_receipts`: reads stored webhook calls and mails again, after a parser or a rule was repaired."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from delivery.models import ProviderAccount, Receipt
from delivery.services.receiving import GROUP, process_group, read_again


class Command(BaseCommand):
    """Events of a receipt are replaced by what it says now; they keep their keys, so nothing doubles."""

    help = "Read stored webhook calls and returned mails again, now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones; at least one of these."""
        parser.add_argument("ids", nargs="*", type=int, help="Numbers of receipts.")
        parser.add_argument("--account", help="The name of a provider account.")
        parser.add_argument("--kind", choices=Receipt.Kind.values)
        parser.add_argument("--problems", action="store_true", help="Those that could not be read.")
        parser.add_argument("--unmatched", action="store_true", help="Those with events about no message of ours.")
        parser.add_argument("--since", help="Those that came since this date or time (UTC), such as 2026-11-01.")
        parser.add_argument("--all", action="store_true", help="All that are stored.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read them."""
        chosen = self._chosen(options)
        ids = list(chosen.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(ids), GROUP):
            group = ids[first : first + GROUP]
            read_again(Receipt.objects.filter(pk__in=group))
            process_group(group, timezone.now())
        still = Receipt.objects.filter(pk__in=ids).exclude(problem="").count()
        self.stdout.write(f"{len(ids)} receipts were read again; {still} of them cannot be read.")

    def _chosen(self, options: dict[str, Any]) -> QuerySet[Receipt]:
        names = ("ids", "account", "kind", "problems", "unmatched", "since", "all")
        if not any(options[name] for name in names):
            raise CommandError(
                "Say which receipts: numbers, --account, --kind, --problems, --unmatched, --since, --all."
            )
        chosen = Receipt.objects.all()
        if options["ids"]:
            chosen = chosen.filter(pk__in=options["ids"])
        if options["account"]:
            chosen = chosen.filter(account=_account(options["account"]))
        if options["kind"]:
            chosen = chosen.filter(kind=options["kind"])
        if options["problems"]:
            chosen = chosen.exclude(problem="")
        if options["unmatched"]:
            chosen = chosen.filter(n_unmatched__gt=0)
        return chosen.filter(received_at__gte=_moment(options["since"])) if options["since"] else chosen


def _account(name: str) -> ProviderAccount:
    account = ProviderAccount.objects.filter(name=name).defer("secrets", "hook_secrets").first()
    if account is None:
        raise CommandError(f"There is no provider account named {name!r}.")
    return account


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError as problem:
        raise CommandError(f"{text!r} is no date: {problem}.") from problem
    if moment is None and day is None:
        raise CommandError(f"{text!r} is no date such as 2026-11-01 or 2026-11-01T12:00.")
    found = moment or datetime.fromisoformat(f"{day}T00:00:00")
    return found if found.tzinfo else timezone.make_aware(found)
