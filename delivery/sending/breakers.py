"""The circuit breakers of a route's accounts: rows in PostgreSQL that all workers share, changed by conditional writes.

An account that works costs no write: only failures, and what follows them, are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import F

from delivery.breaker import CLOSED, Breaker, BreakerPolicy, Circuit, ask_breaker, record_attempts
from delivery.models import AccountBreaker

# A pool dials one connection at a time while it fails, after 0, 0.5 and 1.5 s: three failures are a dead server.
POLICY = BreakerPolicy(least=3, pause=timedelta(seconds=10), longest=timedelta(minutes=2))
TRIES = 3


class Breakers:
    """As one worker sees them; used by the ledger's thread alone."""

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self._policy = policy or POLICY
        self._rows: dict[int, tuple[Breaker, int]] = {}  # the breaker and its version
        self._ok: Counter[int] = Counter()  # answers of accounts that work: not worth a write by themselves
        self._window_ends: datetime | None = None
        self._probes: set[int] = set()

    def read(self, account_ids: Iterable[int]) -> None:
        """These accounts' rows as they are now."""
        ids = set(account_ids)
        rows = {row.account_id: row for row in AccountBreaker.objects.filter(account_id__in=ids)}
        for pk in ids:
            self._rows[pk] = _value(rows[pk]) if pk in rows else (CLOSED, 0)

    def room(self, account_id: int, now: datetime) -> int | None:
        """Messages that may leave: None any number, 0 none, 1 the probe, which is then this worker's."""
        breaker, version = self._rows.get(account_id, (CLOSED, 0))
        asked, n = ask_breaker(breaker, now=now, policy=self._policy)
        if asked is not breaker and not self._write(account_id, asked, version):
            return 0  # another worker got the probe
        if n == 1:
            self._probes.add(account_id)
        return n

    def reason(self, account_id: int) -> str:
        """Why it is open, in words."""
        return self._rows.get(account_id, (CLOSED, 0))[0].reason

    def note(self, account_id: int, *, n_ok: int, n_failed: int, words: str, now: datetime) -> None:
        """What became of attempts. `words`: the server's last ones, kept as the reason when it opens."""
        if self._window_ends is None or now >= self._window_ends:
            self._ok.clear()
            self._window_ends = now + self._policy.window
        self._ok[account_id] += n_ok
        works = self._rows.get(account_id, (CLOSED, 0))[0].circuit == Circuit.CLOSED
        if works and not n_failed:
            return
        for _ in range(TRIES):
            if self._record(account_id, n_failed, words, now):
                self._ok[account_id] = 0
                return
            self.read([account_id])

    def blocks(self, account_id: int) -> bool:
        """Whether nothing may leave now, but a probe of this worker's."""
        circuit = self._rows.get(account_id, (CLOSED, 0))[0].circuit
        return circuit == Circuit.OPEN or (circuit == Circuit.HALF_OPEN and account_id not in self._probes)

    def give_up_probe(self, account_id: int, now: datetime) -> None:
        """A probe that this worker was given and could not send is anybody's at once."""
        if account_id not in self._probes:
            return
        self._probes.discard(account_id)
        rows = AccountBreaker.objects.filter(account_id=account_id, circuit=Circuit.HALF_OPEN)
        rows.update(circuit=Circuit.OPEN, until=now, version=F("version") + 1)
        self.read([account_id])

    def close(self, now: datetime) -> None:
        """The drain is over: its probes are anybody's."""
        for account_id in list(self._probes):
            self.give_up_probe(account_id, now)

    def _record(self, account_id: int, n_failed: int, words: str, now: datetime) -> bool:
        before, version = self._rows.get(account_id, (CLOSED, 0))
        after = record_attempts(before, n_ok=self._ok[account_id], n_failed=n_failed, now=now, policy=self._policy)
        if after is before:
            return True
        if before.circuit == Circuit.CLOSED and after.circuit == Circuit.OPEN and words:
            after = replace(after, reason=f"{words} ({after.reason})"[:1000])
        if after.circuit != Circuit.HALF_OPEN:
            self._probes.discard(account_id)
        return self._write(account_id, after, version)

    def _write(self, account_id: int, breaker: Breaker, version: int) -> bool:
        """One conditional write; False where another worker was quicker."""
        fields = {
            "circuit": breaker.circuit.value,
            "until": breaker.until,
            "n_ok": breaker.n_ok,
            "n_failed": breaker.n_failed,
            "n_opened": breaker.n_opened,
            "reason": breaker.reason,
            "version": version + 1,
        }
        if version == 0:
            _, written = AccountBreaker.objects.get_or_create(account_id=account_id, defaults=fields)
        else:
            rows = AccountBreaker.objects.filter(account_id=account_id, version=version)
            written = rows.update(**fields) == 1
        if written:
            self._rows[account_id] = (breaker, version + 1)
        else:
            self.read([account_id])
        return written


def _value(row: AccountBreaker) -> tuple[Breaker, int]:
    breaker = Breaker(Circuit(row.circuit), row.until, row.n_ok, row.n_failed, row.n_opened, row.reason)
    return breaker, row.version
