"""Adding, changing and erasing one contact."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from contacts.addresses import Address
from contacts.errors import AddressTaken, ContactErased
from contacts.models import Contact, Suppression
from contacts.patches import ContactPatch
from contacts.staging import StagedRow, drop_erased, stage, staging_cursor, write_contacts

from .suppressions import suppress_address


def save_contact(patch: ContactPatch, *, now: datetime) -> Contact:
    """The contact with the patch's address holds the patch's values; it is added if it was not there.

    Raises ContactErased for somebody who asked to be erased. Subscribes nobody.
    """
    with transaction.atomic(), staging_cursor() as cursor:
        stage(cursor, [StagedRow(1, patch, now)])
        if drop_erased(cursor):
            raise ContactErased("This person asked to be erased and cannot be added again.")
        write_contacts(cursor, now=now)
        return Contact.objects.get(address=patch.address.address)


def change_address(contact: Contact, address: Address, *, now: datetime) -> None:
    """The contact is reached at another address; subscriptions and history stay with the person.

    Raises AddressTaken if somebody else has it. Suppressions belong to addresses and stay with the old one.
    """
    try:
        with transaction.atomic():
            Contact.objects.filter(pk=contact.pk).update(
                email=address.email,
                address=address.address,
                domain=address.domain,
                address_key=address.key,
                updated_at=now,
            )
    except IntegrityError as error:
        raise AddressTaken(f"Another contact has the address {address.email}.") from error
    contact.refresh_from_db()


def erase_contact(contact: Contact, *, source: str, now: datetime) -> None:
    """Nothing personal of the contact is left but a suppression under the hash of the address, which blocks a return.

    The consent ledger keeps its rows, without the evidence and without the contact.
    """
    with transaction.atomic():
        contact.consent_events.update(evidence={})
        key = contact.address_key
        Suppression.objects.filter(address_key=key).update(address="", evidence={})
        contact.delete()
        suppress_address(key, "", reason=Suppression.Reason.ERASED, source=source, evidence={}, now=now)
        Suppression.objects.filter(address_key=key, brand=None, mailing_list=None, lifted_at=None).update(
            reason=Suppression.Reason.ERASED, expires_at=None
        )
