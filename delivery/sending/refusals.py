"""What a refusal at SMTP time means: a bounce event, and what the policy says about the address."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from delivery.events import NewEvent, append_events, event_key
from delivery.inbound.classify import Verdict, classify
from delivery.inbound.taxonomy import CONSEQUENCES, Category
from delivery.outcomes import Result
from delivery.sending.judging import reply_of
from delivery.sending.lease import Lease, Settled
from delivery.services.consequences import Answered, apply_consequences
from delivery.tracking.tokens import MessageRef


def record_refusals(lease: Lease, settled: Sequence[Settled], now: datetime) -> None:
    """Each refusal among the outcomes is an event; the policy decides on its address, and on what was given up.

    Runs in the journal's transaction.
    """
    refused = [item for item in settled if item.outcome.result is Result.REFUSED]
    final = [item for item in settled if item.outcome.result in (Result.REFUSED, Result.EXPIRED)]
    if refused:
        append_events([_event(lease, item, now) for item in refused], now=now)
    apply_consequences([_answered(lease, item) for item in final], source="smtp", now=now)


def _answered(lease: Lease, item: Settled) -> Answered:
    outcome = item.outcome
    return Answered(
        MessageRef(lease.campaign_id, item.contact_id),
        _given_up(item) if outcome.result is Result.EXPIRED else classify(reply_of(outcome)),
        {"reply": f"{outcome.code} {outcome.enhanced} {outcome.text}"[:300]},
        item.account_id,
    )


def _given_up(item: Settled) -> Verdict:
    """After the last attempt a delay is a soft bounce; a block stays a block, and says nothing about the address.

    4yz answers never end an address, whatever their words: "4.2.1 mailbox unavailable" may be there tomorrow.
    """
    verdict = classify(reply_of(item.outcome))
    if item.outcome.code == 0 or CONSEQUENCES[verdict.category].kind == "block":
        return dataclasses.replace(verdict, category=Category.TRANSIENT, kind="soft")
    return dataclasses.replace(verdict, category=Category.EXPIRED, kind="soft")


def _event(lease: Lease, item: Settled, now: datetime) -> NewEvent:
    verdict = classify(reply_of(item.outcome))
    return NewEvent(
        kind="bounced",
        event_key=event_key("smtp", lease.batch_id, item.position),
        occurred_at=now,
        campaign_id=lease.campaign_id,
        contact_id=item.contact_id,
        account_id=item.account_id,
        bounce_kind=CONSEQUENCES[verdict.category].kind,
        category=verdict.category,
        enhanced=item.outcome.enhanced,
        reply=f"{item.outcome.code} {item.outcome.text}",
        rules_version=verdict.rules_version,
        details={"rule": verdict.rule_id, "stage": "smtp"},
    )
