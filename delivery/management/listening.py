"""The listener of `manage.py intake`: mail for brands' bounce domains, recorded before it is acknowledged."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import structlog
from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections

from contacts.models import Brand
from delivery.inbound.sources.listener import ListenerSettings, MailListener
from delivery.services import intake

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
            named = Brand.objects.exclude(bounce_domain="").values_list("bounce_domain", flat=True)
            self._domains = frozenset(domain.lower() for domain in named)
        except DatabaseError as problem:
            log.warning("bounce domains not read", problem=str(problem))


def listen(host: str, port: int, *, lmtp: bool, say: Callable[[str], object]) -> None:
    """Listens until SIGTERM or SIGINT; CommandError when the port cannot be had."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        domains = BounceDomains()
        domains.refresh()
        with MailListener(domains, ListenerSettings(host, port, lmtp=lmtp)) as listener:
            say(f"Listening on {host}:{listener.port}.")
            recorder = threading.Thread(target=_record_all, args=(listener,), name="recorder")
            recorder.start()
            while not ended.wait(REFRESH_SECONDS):
                domains.refresh()
    except OSError as problem:
        raise CommandError(f"Cannot listen on {host}:{port}: {problem}") from problem
    recorder.join()


def _record_all(listener: MailListener) -> None:
    for arrival, receipt in listener:
        try:
            intake.record(arrival, "lmtp" if listener.settings.lmtp else "smtp")
        except DatabaseError as problem:
            log.error("mail not recorded", problem=str(problem))
            receipt.failed()
        else:
            receipt.done()
