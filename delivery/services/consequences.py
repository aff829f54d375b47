"""What an answer does to an address, by the brand's policy: SMTP refusals, bounce mails and provider events alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.models import Campaign
from contacts.models import Contact, Suppression
from contacts.services import policy_of, suppress_address
from contacts.suppression_policy import Policy, Scope, judge_soft_bounces
from delivery.inbound.classify import Verdict
from delivery.inbound.taxonomy import CONSEQUENCES, AddressAction, Category
from delivery.models import SoftBounce
from delivery.services.leaving import Wish, leave
from delivery.tracking.tokens import MessageRef

# A sign of life: it arrived, or a person did something with it.
ENGAGED = """
SELECT max(e.occurred_at) FROM delivery_event e
WHERE e.campaign_id = ANY(%(campaigns)s) AND e.kind IN ('delivered', 'opened', 'clicked')
AND e.contact_id = %(contact)s AND (e.kind = 'delivered' OR e.verdict = 'human')
"""
NOTE_SOFT = """
INSERT INTO delivery_softbounce (contact_id, campaign_id, category, bounced_at) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """A final answer to one message; `evidence` goes into the suppression (the reply, the receipt)."""

    ref: MessageRef
    verdict: Verdict
    evidence: dict[str, Any]
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose message it was: the policy, the brand and the lists, that a suppression may be limited to."""

    policy: Policy
    brand_id: int | None
    list_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a decision on one address needs."""

    answer: Answered
    contact: Contact
    sender: _Sender
    source: str
    now: datetime


def apply_consequence(
    ref: MessageRef,
    verdict: Verdict,
    *,
    source: str,
    evidence: dict[str, Any],
    account_id: int | None = None,
    now: datetime,
) -> bool:
    """The address of one message is suppressed, counted, unsubscribed or left alone; True if it gets less mail now."""
    return apply_consequences([Answered(ref, verdict, evidence, account_id)], source=source, now=now) == 1


def apply_consequences(answers: Sequence[Answered], *, source: str, now: datetime) -> int:
    """For each answer what the policy says; returns how many addresses get less mail than before.

    `source` says who told us: smtp, dsn, arf, webhook. Idempotent: the same answer again changes nothing. To be called
    for final answers only (not for "delayed"); runs in the caller's transaction, which also records the event.
    """
    acting = [a for a in answers if CONSEQUENCES[a.verdict.category].on_address is not AddressAction.NONE]
    if not acting:
        return 0
    contacts = Contact.objects.only("address", "address_key").in_bulk({a.ref.contact_id for a in acting})
    senders = {campaign_id: _sender(campaign_id) for campaign_id in {a.ref.campaign_id for a in acting}}
    # In order of key, so that two workers never wait for each other's suppressions.
    cases = sorted(
        (
            _Case(a, contacts[a.ref.contact_id], senders[a.ref.campaign_id], source, now)
            for a in acting
            if a.ref.contact_id in contacts
        ),
        key=lambda case: case.contact.address_key,
    )
    return sum(map(_apply, cases))


def forget_old_soft_bounces(*, now: datetime) -> int:
    """Soft bounces of two years ago are gone; no policy looks back that far."""
    return SoftBounce.objects.filter(bounced_at__lt=now - timedelta(days=730)).delete()[0]


def _sender(campaign_id: int) -> _Sender:
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        return _Sender(policy_of(None), None, ())
    lists = tuple(campaign.send_to.order_by("pk").values_list("pk", flat=True))
    return _Sender(policy_of(campaign.brand_id), campaign.brand_id, lists)


def _apply(case: _Case) -> bool:
    ref, category = case.answer.ref, case.answer.verdict.category
    if category is Category.UNSUBSCRIBED:
        leave(Wish(ref.campaign_id, ref.contact_id, source=case.source), now=case.now)
        return True
    if category is Category.COMPLAINT:
        return _suppress(case, "complaint", case.sender.policy.complaint_scope)
    if CONSEQUENCES[category].on_address is AddressAction.COUNT:
        return _note_soft(case) and _escalate(case)
    return _suppress(case, "hard_bounce", case.sender.policy.hard_scope)


def _note_soft(case: _Case) -> bool:
    """One soft bounce more; False when this message's was known."""
    ref = case.answer.ref
    with connection.cursor() as cursor:
        cursor.execute(NOTE_SOFT, [ref.contact_id, ref.campaign_id, case.answer.verdict.category, case.now])
        return cursor.fetchone() is not None


def _escalate(case: _Case) -> bool:
    """At the policy's threshold the address rests for a while."""
    policy, now = case.sender.policy, case.now
    since = now - timedelta(days=policy.soft_window_days)
    rows = SoftBounce.objects.filter(contact_id=case.contact.pk, bounced_at__gt=since)
    bounces = list(rows.values_list("bounced_at", flat=True))
    if not policy.soft_count or len(bounces) < policy.soft_count:
        return False
    restart = max(_last_decision(case.contact) or since, _last_engaged(case.contact.pk, since, now) or since)
    counted = [at for at in bounces if at > restart]
    until = judge_soft_bounces(counted, policy, now=now)
    if until is None:
        return False
    more = {"n_soft_bounces": len(counted), "first": min(counted).isoformat(), "last": max(counted).isoformat()}
    return _suppress(case, "soft_bounce", policy.soft_scope, until=until, more=more)


def _last_decision(contact: Contact) -> datetime | None:
    """When soft bounces last led to a suppression, or a person lifted one: counting begins anew there."""
    rows = Suppression.objects.filter(address_key=contact.address_key, reason="soft_bounce")
    times = [at for pair in rows.values_list("created_at", "lifted_at") for at in pair if at is not None]
    return max(times, default=None)


def _last_engaged(contact_id: int, since: datetime, now: datetime) -> datetime | None:
    """The last sign of life among the campaigns of the window; one index look-up for each of them."""
    launched = Campaign.objects.filter(launched_at__gt=since - timedelta(days=30), launched_at__lte=now)
    with connection.cursor() as cursor:
        campaigns = list(launched.values_list("pk", flat=True))
        cursor.execute(ENGAGED, {"campaigns": campaigns, "contact": contact_id})
        found: datetime | None = cursor.fetchone()[0]
    return found


def _suppress(
    case: _Case, reason: str, scope: Scope, *, until: datetime | None = None, more: dict[str, Any] | None = None
) -> bool:
    answer = case.answer
    evidence = {
        "campaign": answer.ref.campaign_id,
        "account": answer.account_id,
        "rule": answer.verdict.rule_id,
        "rules_version": answer.verdict.rules_version,
        **answer.evidence,
        **(more or {}),
    }
    new = [
        suppress_address(
            case.contact.address_key,
            case.contact.address,
            reason=reason,
            source=case.source,
            evidence=evidence,
            brand_id=brand_id,
            mailing_list_id=list_id,
            expires_at=until,
            now=case.now,
        )
        for brand_id, list_id in _places(scope, case.sender)
    ]
    return any(new)


def _places(scope: Scope, sender: _Sender) -> list[tuple[int | None, int | None]]:
    """(brand, list) of each suppression; everywhere where the campaign is gone or had no lists."""
    if scope == "list" and sender.list_ids:
        return [(None, list_id) for list_id in sender.list_ids]
    return [(sender.brand_id if scope != "everywhere" else None, None)]
