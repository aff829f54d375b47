"""From an answer to a row: a deferral gets its next time or expires; everything else stays as it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from delivery.inbound.classify import Reply, classify
from delivery.inbound.report import Stage
from delivery.outcomes import Outcome, Result
from delivery.retry import GiveUp, decide
from delivery.sending.channel import Channel
from delivery.sending.lease import Lease, Person, Settled

_random = random.Random()  # noqa: S311 - jitter only


def judge(
    lease: Lease, person: Person, channel: Channel, outcome: Outcome, *, clock: Callable[[], datetime]
) -> Settled:
    """The row to write for `outcome`; `clock` gives PostgreSQL's time."""
    account_id, source_id = channel.account_id, channel.source_id or None
    if outcome.result is Result.ACCEPTED:
        return Settled(person.position, person.contact_id, account_id, outcome, source_id=source_id)
    category = ""
    due_at, same_source = None, False
    if outcome.result in (Result.DEFERRED, Result.REFUSED):
        category = classify(reply_of(outcome)).category
    if outcome.reason == "recalled":
        return Settled(person.position, person.contact_id, account_id, outcome, clock(), "recalled")
    if outcome.result is Result.DEFERRED:
        verdict = decide(
            attempt=lease.attempt,
            category=category,
            retry_after=outcome.retry_after,
            now=clock(),
            expires_at=lease.expires_at,
            rng=_random,
        )
        if isinstance(verdict, GiveUp):
            text = f"Given up after {lease.attempt} attempts: {outcome.text}"[:500]
            outcome = outcome._replace(result=Result.EXPIRED, text=text)
        else:
            due_at, same_source = verdict.at, verdict.same_source
    return Settled(person.position, person.contact_id, account_id, outcome, due_at, category, same_source=same_source)


def detoured(lease: Lease, person: Person, now: datetime) -> Settled:
    """The message goes on in a batch of its own site, which got a limit after the audience was cut into batches."""
    site = lease.detours[person.position]
    outcome = Outcome(Result.DEFERRED, text=f"Moved to the batches of {site}, which has limits of its own now.")
    return Settled(person.position, person.contact_id, None, outcome, due_at=now, site=site)


def reply_of(outcome: Outcome) -> Reply:
    """What the server said, as the classifier takes it."""
    return Reply(code=outcome.code, enhanced=outcome.enhanced, text=outcome.text, stage=Stage.RCPT)
