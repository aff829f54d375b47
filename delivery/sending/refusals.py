"""What a refusal at SMTP time means: a bounce event, and a suppression where the address is dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contacts.models import Contact
from contacts.services import suppress_address
from delivery.events import NewEvent, append_events, event_key
from delivery.inbound.classify import classify
from delivery.inbound.taxonomy import CONSEQUENCES, suppresses
from delivery.outcomes import Result
from delivery.sending.judging import reply_of
from delivery.sending.lease import Lease, Settled


def record_refusals(lease: Lease, settled: Sequence[Settled], now: datetime) -> None:
    """Each refusal among the outcomes is an event; dead addresses are suppressed. Runs in the journal's transaction."""
    refused = [item for item in settled if item.outcome.result is Result.REFUSED]
    if not refused:
        return
    append_events([_event(lease, item, now) for item in refused], now=now)
    dead = {item.contact_id: item for item in refused if suppresses(classify(reply_of(item.outcome)).category)}
    for contact in Contact.objects.filter(pk__in=dead).only("address", "address_key"):
        outcome = dead[contact.pk].outcome
        suppress_address(
            contact.address_key,
            contact.address,
            reason="hard_bounce",
            source="smtp",
            evidence={
                "campaign": lease.campaign_id,
                "reply": f"{outcome.code} {outcome.enhanced} {outcome.text}"[:300],
            },
            now=now,
        )


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
