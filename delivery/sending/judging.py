"""From an answer to a row: a deferral gets its next time or expires; everything else stays as it is."""

from __future__ import annotations

import dataclasses
import random
from datetime import datetime

from delivery.inbound.classify import Reply, classify
from delivery.inbound.report import Stage
from delivery.outcomes import Outcome, Result
from delivery.retry import GiveUp, decide
from delivery.sending.lease import Lease, Person, Settled

_random = random.Random()  # noqa: S311 - jitter only


def judge(lease: Lease, person: Person, account_id: int | None, outcome: Outcome, *, now: datetime) -> Settled:
    """The row to write for `outcome` at `now`."""
    if outcome.result is Result.ACCEPTED:
        return Settled(person.position, person.contact_id, account_id, outcome)
    category = ""
    due_at, same_source = None, False
    if outcome.result in (Result.DEFERRED, Result.REFUSED):
        category = classify(reply_of(outcome)).category
    if outcome.reason == "recalled":
        return Settled(person.position, person.contact_id, account_id, outcome, now, "recalled")
    if outcome.result is Result.DEFERRED:
        verdict = decide(
            attempt=lease.attempt,
            category=category,
            retry_after=outcome.retry_after,
            now=now,
            expires_at=lease.expires_at,
            rng=_random,
        )
        if isinstance(verdict, GiveUp):
            text = f"Given up after {lease.attempt} attempts: {outcome.text}"[:500]
            outcome = dataclasses.replace(outcome, result=Result.EXPIRED, text=text)
        else:
            due_at, same_source = verdict.at, verdict.same_source
    return Settled(person.position, person.contact_id, account_id, outcome, due_at, category, same_source=same_source)


def reply_of(outcome: Outcome) -> Reply:
    """What the server said, as the classifier takes it."""
    return Reply(code=outcome.code, enhanced=outcome.enhanced, text=outcome.text, stage=Stage.RCPT)
