"""The newest mails, in memory, for looking at; older ones fall out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

MAX_KEPT = 500


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came."""

    number: int
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    raw: bytes


class Mailbox:
    """At most 500 mails, about 20 MB; safe to share between threads."""

    def __init__(self, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._n_received = 0
        self._lock = threading.Lock()

    def keep(self, raw: bytes, *, sender: str, recipient: str, subject: str, at: datetime) -> Mail:
        """The mail is among those kept; the oldest leaves when there are too many."""
        with self._lock:
            self._n_received += 1
            mail = Mail(self._n_received, at, sender, recipient, subject, raw)
            self._mails[mail.number] = mail
            if len(self._mails) > self._max_kept:
                self._mails.popitem(last=False)
            return mail

    def find(self, number: int) -> Mail | None:
        """The mail of that number, while it is kept."""
        with self._lock:
            return self._mails.get(number)

    def search(self, words: str, *, limit: int = 100) -> list[Mail]:
        """The newest mails whose recipient, sender or subject hold all the words, in any case."""
        wanted = words.lower().split()
        with self._lock:
            mails = list(reversed(self._mails.values()))
        found = (m for m in mails if all(w in f"{m.recipient} {m.sender} {m.subject}".lower() for w in wanted))
        return [mail for mail, _ in zip(found, range(limit), strict=False)]

    @property
    def n_kept(self) -> int:
        """How many there are now."""
        return len(self._mails)
