"""Recording consent: subscriptions follow the newest clock, and every change leaves a row in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from contacts.models import ConsentEvent, Contact, MailingList, Subscription
from contacts.policy import Consent, decide_consent, is_repeat, within_reason

# Of offers for one subscription that nobody has yet, one wins and the others wait for it and see it.
ADD = """
INSERT INTO contacts_subscription (contact_id, mailing_list_id, state, source, consent_at, created_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (mailing_list_id, contact_id) DO NOTHING
RETURNING contact_id, mailing_list_id
"""
KIND = {
    "unconfirmed": ConsentEvent.Kind.GRANTED,
    "confirmed": ConsentEvent.Kind.GRANTED,
    "unsubscribed": ConsentEvent.Kind.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class ConsentOffer:
    """What a source says about one contact on one list.

    `only_from`: the offer counts only against a subscription that this source gave (a shop that says "not
    subscribed" takes back its own word, nobody else's).
    """

    contact_id: int
    mailing_list_id: int
    consent: Consent
    evidence: dict[str, Any] = field(default_factory=dict)
    only_from: str | None = None


def subscribe_contact(
    contact_id: int,
    *,
    list_ids: Collection[int],
    source: str,
    occurred_at: datetime,
    evidence: dict[str, Any],
    now: datetime,
) -> int:
    """The contact is on the lists, unless newer consent says otherwise; returns how many subscriptions changed.

    Lifts no suppression.
    """
    consent = Consent("confirmed", occurred_at, source)
    return record_consents([ConsentOffer(contact_id, pk, consent, evidence) for pk in list_ids], now=now)


def unsubscribe_contact(
    contact_id: int,
    *,
    list_ids: Collection[int] | None,
    source: str,
    occurred_at: datetime,
    evidence: dict[str, Any],
    now: datetime,
) -> int:
    """The contact is off the lists (None: off every list it is on); returns how many subscriptions changed.

    A list the contact was never on gets an unsubscribed row too, so that no import puts it there. A repeated call
    changes nothing.
    """
    if list_ids is None:
        list_ids = list(Subscription.objects.filter(contact_id=contact_id).values_list("mailing_list_id", flat=True))
    consent = Consent("unsubscribed", occurred_at, source)
    return record_consents([ConsentOffer(contact_id, pk, consent, evidence) for pk in list_ids], now=now)


def record_consents(offers: Iterable[ConsentOffer], *, now: datetime) -> int:
    """Each offer that policy accepts has changed its subscription and stands in the ledger; returns how many did.

    What the same source says again sets the clock forward and leaves no second row. Contacts and lists that are gone
    are passed over. Offers of one call speak of different subscriptions.
    """
    with transaction.atomic():
        wanted = [_in_reason(offer, now) for offer in _existing(list(offers))]
        added = _add_subscriptions([offer for offer in wanted if offer.only_from is None], now)
        changed = _change_subscriptions([offer for offer in wanted if _place(offer) not in added])
        taken = [offer for offer in wanted if _place(offer) in added] + changed
        _write_ledger(taken)
    return len(taken)


def _place(offer: ConsentOffer) -> tuple[int, int]:
    return offer.contact_id, offer.mailing_list_id


def _in_reason(offer: ConsentOffer, now: datetime) -> ConsentOffer:
    return replace(offer, consent=replace(offer.consent, at=within_reason(offer.consent.at, now)))


def _existing(offers: Sequence[ConsentOffer]) -> list[ConsentOffer]:
    """Offers whose contact and list are there; in a fixed order, so that two calls at once cannot deadlock."""
    contacts = set(Contact.objects.filter(pk__in={offer.contact_id for offer in offers}).values_list("pk", flat=True))
    lists = set(
        MailingList.objects.filter(pk__in={offer.mailing_list_id for offer in offers}).values_list("pk", flat=True)
    )
    kept = [offer for offer in offers if offer.contact_id in contacts and offer.mailing_list_id in lists]
    return sorted(kept, key=_place)


def _add_subscriptions(offers: Sequence[ConsentOffer], now: datetime) -> set[tuple[int, int]]:
    if not offers:
        return set()
    rows = [
        (offer.contact_id, offer.mailing_list_id, offer.consent.state, offer.consent.source, offer.consent.at, now)
        for offer in offers
    ]
    with connection.cursor() as cursor:
        cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])
        return set(cursor.fetchall())


def _change_subscriptions(offers: Sequence[ConsentOffer]) -> list[ConsentOffer]:
    if not offers:
        return []
    rows = {
        (row.contact_id, row.mailing_list_id): row
        for row in Subscription.objects.select_for_update()
        .filter(
            contact_id__in={offer.contact_id for offer in offers},
            mailing_list_id__in={offer.mailing_list_id for offer in offers},
        )
        .order_by("contact_id", "mailing_list_id")
    }
    known = {place: _consent_of(row) for place, row in rows.items()}
    taken = [offer for offer in offers if (row := rows.get(_place(offer))) and _accept(row, offer)]
    Subscription.objects.bulk_update(
        [rows[_place(offer)] for offer in taken], ["state", "source", "consent_at"], batch_size=1000
    )
    return [offer for offer in taken if not is_repeat(known[_place(offer)], offer.consent)]


def _consent_of(row: Subscription) -> Consent:
    return Consent(row.state, row.consent_at, row.source)  # type: ignore[arg-type]  # the column has these choices


def _accept(row: Subscription, offer: ConsentOffer) -> bool:
    if offer.only_from is not None and row.source != offer.only_from:
        return False
    if not decide_consent(_consent_of(row), offer.consent):
        return False
    row.state, row.source, row.consent_at = offer.consent.state, offer.consent.source, offer.consent.at
    return True


def _write_ledger(offers: Sequence[ConsentOffer]) -> None:
    keys = dict(Contact.objects.filter(pk__in={offer.contact_id for offer in offers}).values_list("pk", "address_key"))
    ConsentEvent.objects.bulk_create(
        [
            ConsentEvent(
                contact_id=offer.contact_id,
                mailing_list_id=offer.mailing_list_id,
                address_key=keys[offer.contact_id],
                kind=KIND[offer.consent.state],
                source=offer.consent.source,
                evidence=offer.evidence,
                occurred_at=offer.consent.at,
            )
            for offer in offers
        ],
        batch_size=1000,
    )
