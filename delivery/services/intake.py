"""Returned mail out of mailboxes: each pass records what is new, and only then settles it at its source."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from django.db import close_old_connections, connection

from delivery.inbound.sources.arrival import Arrival, drain
from delivery.inbound.sources.imap import ImapSource
from delivery.inbound.sources.maildir import MaildirSource
from delivery.inbound.sources.pipe import PipeSource
from delivery.inbound.sources.pop3 import Pop3Account, Pop3Source
from delivery.models import IntakeState
from delivery.services.receiving import store_mail


def record(arrival: Arrival, source: str) -> None:
    """The mail is in PostgreSQL afterwards; raises DatabaseError when it is not."""
    _renew_connection()
    store_mail(arrival.raw, sender=arrival.mail_from, recipients=arrival.envelope_to, source=source)


def state_of(name: str) -> dict[str, object]:
    """How far a mailbox was read."""
    _renew_connection()
    return dict(IntakeState.objects.filter(source=name).values_list("state", flat=True).first() or {})


def keep_state(name: str, state: dict[str, object]) -> None:
    """The mailbox was read as far as this."""
    IntakeState.objects.update_or_create(source=name, defaults={"state": state})


def take_imap(source: ImapSource, name: str) -> int:
    """One pass over an IMAP folder; how far it came is kept also when it breaks off. Returns how many came."""
    before = source.cursor
    try:
        return drain(source, lambda arrival: record(arrival, "imap"))
    finally:
        if source.cursor != before:
            keep_state(name, {"validity": source.cursor.validity, "uid": source.cursor.uid})


def take_pop3(account: Pop3Account, name: str, *, delete: bool) -> int:
    """One POP3 session. What is left on the server is remembered by its UIDL, as long as the server has it."""
    if delete:
        return drain(Pop3Source(account, lambda _uidl: False), lambda arrival: record(arrival, "pop3"))
    known = set(map(str, _listed(state_of(name).get("uidls"))))
    present: set[str] = set()

    def is_known(uidl: str) -> bool:
        present.add(uidl)
        return uidl in known

    n_taken = drain(Pop3Source(account, is_known, delete=False), lambda arrival: record(arrival, "pop3"))
    if present != known:  # a session that broke off has remembered nothing: recording a mail again changes nothing
        keep_state(name, {"uidls": sorted(present)})
    return n_taken


def take_maildir(folder: Path, *, delete: bool) -> int:
    """One pass over a maildir."""
    return drain(MaildirSource(folder, delete=delete), lambda arrival: record(arrival, "maildir"))


def take_pipe(stream: BinaryIO, *, sender: str, recipients: tuple[str, ...]) -> int:
    """The one mail of a pipe."""
    return drain(PipeSource(stream, sender, recipients), lambda arrival: record(arrival, "pipe"))


def _renew_connection() -> None:
    """A connection that broke since the last mail is made anew; not inside a transaction."""
    if not connection.in_atomic_block:
        close_old_connections()


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
