"""`manage.py intake`: listens for returned mail by SMTP or LMTP and stores each mail before it is acknowledged."""

from __future__ import annotations

import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from contacts.models import Brand
from delivery.inbound.sources.arrival import Arrival
from delivery.inbound.sources.listener import ListenerSettings, MailListener
from delivery.services.receiving import store_mail

log = structlog.get_logger()

REFRESH_SECONDS = 30.0


class BounceDomains:
    """Accepts what comes to a brand's bounce domain, as the database had it at the last `refresh`.

    The listener asks from its event loop, where Django allows no query.
    """

    def __init__(self) -> None:
        self._domains: frozenset[str] = frozenset()

    def __call__(self, address: str) -> bool:
        """Whether mail to `address` is ours."""
        return address.rpartition("@")[2].lower() in self._domains

    def refresh(self) -> None:
        """Read the brands' domains anew; while PostgreSQL is away, what was ours before still is."""
        try:
            close_old_connections()
            self._domains = frozenset(
                domain.lower() for domain in Brand.objects.values_list("bounce_domain", flat=True)
            )
        except DatabaseError as problem:
            log.warning("bounce domains not read", problem=str(problem))


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Listen for bounces, complaints and unsubscribes that come back by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=2526)
        parser.add_argument("--lmtp", action="store_true", help="Speak LMTP, as a mail server's transport wants it.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Listen."""
        settings = ListenerSettings(options["host"], options["port"], lmtp=options["lmtp"])
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        try:
            domains = BounceDomains()
            domains.refresh()
            with MailListener(domains, settings) as listener:
                self.stdout.write(f"Listening on {options['host']}:{listener.port}.")
                recorder = threading.Thread(target=_record_all, args=(listener,), name="recorder")
                recorder.start()
                while not ended.wait(REFRESH_SECONDS):
                    domains.refresh()
        except OSError as problem:
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {problem}") from problem
        recorder.join()


def _record_all(listener: MailListener) -> None:
    for arrival, receipt in listener:
        try:
            _record(arrival)
        except DatabaseError as problem:
            log.error("mail not recorded", problem=str(problem))
            receipt.failed()
        else:
            receipt.done()


def _record(arrival: Arrival) -> None:
    close_old_connections()
    store_mail(arrival.raw, sender=arrival.mail_from, recipients=arrival.envelope_to, source="listener")
