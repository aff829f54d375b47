"""Making contacts and consent of stored deliveries; repeated and disordered ones do no harm.

Fields follow the store's clock of the customer, consent follows the store's clock of the consent: neither is applied
when something newer is known.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from contacts.addresses import Address, AddressProblem, normalise_address
from contacts.errors import AddressTaken, ContactErased, WrongState
from contacts.fields import CONVERTERS, FieldError
from contacts.models import Contact, ContactIdentity
from contacts.patches import ContactPatch
from contacts.policy import Consent, State
from contacts.services import ConsentOffer, change_address, erase_contact, record_consents, save_contact

from . import shopify, woocommerce
from .models import Store, StoreDelivery
from .records import (
    ConsentChanged,
    CustomerDeleted,
    CustomerRedacted,
    CustomerSaved,
    NotUsed,
    Statement,
    StoreConsent,
    UnreadableDelivery,
    moment,
)

MAX_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=10)  # doubled each time
KEPT = timedelta(days=30)


def process_next(*, now: datetime) -> bool:
    """The oldest due delivery is processed, or its failure noted; False if none is due."""
    with transaction.atomic():
        delivery = (
            StoreDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("store__brand", "store__mailing_list")
            .filter(processed_at=None, due_at__lte=now)
            .order_by("due_at", "pk")
            .first()
        )
        if delivery is None:
            return False
        try:
            with transaction.atomic():
                outcome = apply_statement(delivery.store, read_delivery(delivery), now=now)
        except UnreadableDelivery as error:
            _close(delivery, problem=str(error), outcome="Not readable.", now=now)
        except ContactErased as error:
            _close(delivery, problem="", outcome=str(error), now=now)
        except Exception as error:  # noqa: BLE001 (one delivery must not stop the others; it is shown and tried again)
            _try_later(delivery, problem=f"{type(error).__name__}: {error}", now=now)
        else:
            _close(delivery, problem="", outcome=outcome, now=now)
    return True


def read_delivery(delivery: StoreDelivery) -> Statement:
    """What a stored delivery says; raises UnreadableDelivery."""
    try:
        payload = json.loads(bytes(delivery.body))
    except ValueError as error:
        raise UnreadableDelivery("The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise UnreadableDelivery("The body is not a JSON object.")
    if delivery.store.platform == Store.Platform.SHOPIFY:
        triggered_at = moment(_header(delivery, "X-Shopify-Triggered-At")) or delivery.received_at
        return shopify.read(delivery.topic, payload, triggered_at=triggered_at)
    meta_key = delivery.store.consent_meta_key
    return woocommerce.read(delivery.topic, payload, received_at=delivery.received_at, consent_meta_key=meta_key)


def _header(delivery: StoreDelivery, name: str) -> str:
    return next((value for key, value in delivery.headers.items() if key.lower() == name.lower()), "")


def _close(delivery: StoreDelivery, *, problem: str, outcome: str, now: datetime) -> None:
    delivery.processed_at, delivery.problem, delivery.outcome = now, problem, outcome[:200]
    delivery.n_attempts += 1
    if not problem:
        delivery.body = b""
    delivery.save(update_fields=["processed_at", "problem", "outcome", "n_attempts", "body"])


def _try_later(delivery: StoreDelivery, *, problem: str, now: datetime) -> None:
    delivery.n_attempts += 1
    delivery.problem = problem[:1000]
    delivery.due_at = now + FIRST_WAIT * 2 ** (delivery.n_attempts - 1)
    if delivery.n_attempts >= MAX_ATTEMPTS:
        delivery.processed_at, delivery.outcome = now, f"Given up after {MAX_ATTEMPTS} attempts."
    delivery.save(update_fields=["n_attempts", "problem", "due_at", "processed_at", "outcome"])


def apply_statement(store: Store, statement: Statement, *, now: datetime) -> str:
    """The store's word is done as far as nothing newer is known; returns what came of it, in words.

    Raises ContactErased for somebody who asked to be erased.
    """
    match statement:
        case CustomerSaved():
            return _save_customer(store, statement, now)
        case ConsentChanged():
            return _change_consent(store, statement, now)
        case CustomerDeleted():
            return _delete_customer(store, statement, now)
        case CustomerRedacted():
            return _redact_customer(store, statement, now)
        case NotUsed():
            return statement.reason


def source_of(store: Store) -> str:
    """How the store is named as a source of consent and identities."""
    return f"store:{store.pk}"


def _identity(store: Store, external_id: str) -> tuple[ContactIdentity, bool]:
    """The locked identity of a customer, made if it is new."""
    identity, is_new = ContactIdentity.objects.get_or_create(
        brand=store.brand, source=source_of(store), external_id=external_id
    )
    return ContactIdentity.objects.select_for_update().get(pk=identity.pk), is_new


def _save_customer(store: Store, said: CustomerSaved, now: datetime) -> str:
    address = _address(said.email)
    if address is None:
        return "The customer has no usable address."
    identity, _ = _identity(store, said.external_id)
    if identity.source_updated_at is not None and said.updated_at < identity.source_updated_at:
        outcome = "Fields are older than what is known: not changed."
        contact = identity.contact
    else:
        contact = _save_fields(identity, address, said, now)
        outcome = "Contact saved."
    if contact is not None and said.consent is not None:
        outcome += " " + _take_consent(store, contact, said.consent, now)
    return outcome


def _save_fields(identity: ContactIdentity, address: Address, said: CustomerSaved, now: datetime) -> Contact:
    known = identity.contact
    if known is not None and known.address != address.address:
        with suppress(AddressTaken):  # the address is a contact of its own: the customer is that person from now on
            change_address(known, address, now=now)
    contact = save_contact(ContactPatch(address, **_usable(said.values)), now=now)
    identity.contact, identity.source_updated_at = contact, said.updated_at
    identity.save(update_fields=["contact", "source_updated_at"])
    return contact


def _usable(values: dict[str, str]) -> dict[str, Any]:
    """Values that a contact can hold; a store's odd phone number must not keep the person out."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        try:
            kept[name] = CONVERTERS[name](value.replace("\0", ""))
        except FieldError:
            continue
    return kept


def _address(email: str | None) -> Address | None:
    address = normalise_address((email or "")[:1000])
    return None if isinstance(address, AddressProblem) else address


def _change_consent(store: Store, said: ConsentChanged, now: datetime) -> str:
    """Consent may come before the customer does: then the person is added by the address alone."""
    identity, _ = _identity(store, said.external_id)
    contact = identity.contact
    if contact is None:
        address = _address(said.email)
        if address is None:
            return "The customer is not known here and the delivery has no usable address."
        if identity.source_updated_at is not None and said.consent.at <= identity.source_updated_at:
            return "The store has deleted this customer since."
        contact = save_contact(ContactPatch(address), now=now)
        identity.contact = contact
        identity.save(update_fields=["contact"])
    return _take_consent(store, contact, said.consent, now)


def _take_consent(store: Store, contact: Contact, consent: StoreConsent, now: datetime) -> str:
    source = source_of(store)
    state: State = "unsubscribed" if consent.state == "not_subscribed" else consent.state
    offer = ConsentOffer(
        contact.pk,
        store.mailing_list_id,
        Consent(state, consent.at, source),
        consent.evidence,
        only_from=source if consent.state == "not_subscribed" else None,
    )
    changed = record_consents([offer], now=now)
    return f"Consent: {consent.state}." if changed else "Consent is not newer than what is known: not changed."


def _delete_customer(store: Store, said: CustomerDeleted, now: datetime) -> str:
    """The store's own word is taken back; the person stays for whoever else knows them.

    A tombstone keeps older deliveries from undoing this.
    """
    identity, _ = _identity(store, said.external_id)
    if identity.source_updated_at is not None and said.at < identity.source_updated_at:
        return "The customer has been saved again since: not deleted."
    contact = identity.contact
    if contact is not None:
        _take_consent(store, contact, StoreConsent("not_subscribed", said.at), now)
    identity.contact, identity.source_updated_at = None, said.at
    identity.save(update_fields=["contact", "source_updated_at"])
    return "Customer deleted in the store: its consent is taken back." if contact else "The customer was not known."


def _redact_customer(store: Store, said: CustomerRedacted, now: datetime) -> str:
    identity = ContactIdentity.objects.filter(
        brand=store.brand, source=source_of(store), external_id=said.external_id
    ).first()
    contact = identity.contact if identity else None
    address = _address(said.email)
    if contact is None and address is not None:
        contact = Contact.objects.filter(address=address.address).first()
    if contact is None:
        return "Nobody to erase."
    erase_contact(contact, source=source_of(store), now=now)
    return "Contact erased."


def process_again(delivery: StoreDelivery, *, now: datetime) -> None:
    """A delivery that ended with a problem is due again; raises WrongState for one that did not."""
    due = StoreDelivery.objects.filter(pk=delivery.pk, processed_at__isnull=False).exclude(problem="")
    if not due.update(processed_at=None, due_at=now, n_attempts=0, outcome=""):
        raise WrongState("Only a delivery that ended with a problem can be processed again.")


def forget_old_deliveries(*, now: datetime) -> None:
    """Deliveries older than 30 days are gone, processed or not."""
    StoreDelivery.objects.filter(received_at__lt=now - KEPT).delete()
