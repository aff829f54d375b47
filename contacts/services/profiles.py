"""Taking in many profiles at once from an API client: who they are, what is known of them, what they agreed to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from contacts.addresses import Address
from contacts.models import Brand, Contact, ContactIdentity
from contacts.patches import ContactPatch
from contacts.policy import Consent
from contacts.staging import (
    SavedContact,
    StagedRow,
    drop_erased,
    saved_contacts,
    stage,
    staging_cursor,
    write_contacts,
)

from .consent import ConsentOffer, record_consents
from .people import change_address

SOURCE = "api"
ERASED = "This person asked to be erased and is not added again."


@dataclass(slots=True)
class ProfileRow:
    """One checked profile; `address` may be missing if the external id is known."""

    index: int
    address: Address | None
    external_id: str
    values: dict[str, str]
    fields: dict[str, Any]
    list_ids: list[int] | None = None
    consent: Consent | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a profile was not taken in."""

    index: int
    field: str
    error: str


@dataclass(slots=True)
class ProfilesTaken:
    """What came of a request: contact ids by row, rows that failed, and counts."""

    ids: dict[int, UUID] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    n_created: int = 0
    n_updated: int = 0
    n_consents: int = 0


def sync_profiles(brand: Brand, rows: Iterable[ProfileRow], *, now: datetime) -> ProfilesTaken:
    """Each row's person is a contact with the row's values; consent follows its own clock.

    Rows of one person are taken in their order. A row older (`updated_at`) than what its external id brought before
    changes no values. Nobody is brought back by a sync, and no suppression is lifted.
    """
    taken = ProfilesTaken()
    with transaction.atomic():
        identities = _identities(brand, rows := list(rows))
        for wave in _waves(_addressed(rows, identities, taken, now)):
            _take_wave(brand, wave, identities, taken, now)
    return taken


def _identities(brand: Brand, rows: list[ProfileRow]) -> dict[str, ContactIdentity]:
    wanted = sorted({row.external_id for row in rows if row.external_id})
    found = (
        ContactIdentity.objects.select_for_update(of=("self",))
        .select_related("contact")
        .filter(brand=brand, source=SOURCE, external_id__in=wanted)
        .order_by("external_id")
    )
    return {identity.external_id: identity for identity in found}


def _addressed(
    rows: list[ProfileRow], identities: dict[str, ContactIdentity], taken: ProfilesTaken, now: datetime
) -> list[tuple[ProfileRow, Address]]:
    """The rows with the address each belongs to; a known person's new address is moved to first."""
    addressed = []
    for row in rows:
        identity = identities.get(row.external_id)
        known = identity.contact if identity else None
        if row.address is None and known is None:
            taken.errors.append(RowError(row.index, "email", "No profile has this external_id yet: give its email."))
            continue
        if row.address is None and known is not None:
            address = Address(known.email, known.address, known.domain, known.address_key)
        else:
            address = row.address  # type: ignore[assignment]  # both None was refused above
            _move(known, address, now)
        addressed.append((row, address))
    return addressed


def _move(known: Contact | None, address: Address, now: datetime) -> None:
    """Somebody who changed their address keeps their history, unless the new address is a contact already."""
    if known is None or known.address == address.address:
        return
    if not Contact.objects.filter(address=address.address).exists():
        change_address(known, address, now=now)


def _waves(addressed: list[tuple[ProfileRow, Address]]) -> list[list[tuple[ProfileRow, Address]]]:
    """Rows cut so that no address comes twice in a wave."""
    seen: defaultdict[str, int] = defaultdict(int)
    waves: list[list[tuple[ProfileRow, Address]]] = []
    for row, address in addressed:
        number = seen[address.address]
        seen[address.address] += 1
        if number == len(waves):
            waves.append([])
        waves[number].append((row, address))
    return waves


def _take_wave(
    brand: Brand,
    wave: list[tuple[ProfileRow, Address]],
    identities: dict[str, ContactIdentity],
    taken: ProfilesTaken,
    now: datetime,
) -> None:
    with staging_cursor() as cursor:
        stage(cursor, [StagedRow(row.index, _patch(row, address, identities), now) for row, address in wave])
        erased = set(drop_erased(cursor))
        written = write_contacts(cursor, now=now)
        saved = saved_contacts(cursor)
    taken.errors += [RowError(index, "email", ERASED) for index in sorted(erased)]
    taken.n_created += written.n_created
    taken.n_updated += written.n_updated
    rows = [row for row, _ in wave if row.index in saved]
    taken.ids |= {row.index: saved[row.index].uuid for row in rows}
    _remember(brand, rows, saved, identities)
    offers = [offer for row in rows for offer in _offers(brand, row, saved[row.index])]
    taken.n_consents += record_consents(offers, now=now)


def _patch(row: ProfileRow, address: Address, identities: dict[str, ContactIdentity]) -> ContactPatch:
    if _is_stale(row, identities.get(row.external_id)):
        return ContactPatch(address)
    return ContactPatch(address, fields=row.fields or None, **row.values)


def _is_stale(row: ProfileRow, identity: ContactIdentity | None) -> bool:
    known_at = identity.source_updated_at if identity else None
    return row.updated_at is not None and known_at is not None and row.updated_at < known_at


def _remember(
    brand: Brand, rows: list[ProfileRow], saved: dict[int, SavedContact], identities: dict[str, ContactIdentity]
) -> None:
    """External ids point at their contacts, with the newest clock."""
    fresh = {
        row.external_id: ContactIdentity(
            brand=brand,
            source=SOURCE,
            external_id=row.external_id,
            contact_id=saved[row.index].id,
            source_updated_at=row.updated_at,
        )
        for row in rows
        if row.external_id and not _is_stale(row, identities.get(row.external_id))
    }
    ContactIdentity.objects.bulk_create(
        fresh.values(),
        update_conflicts=True,
        unique_fields=["brand", "source", "external_id"],
        update_fields=["contact", "source_updated_at"],
    )
    identities |= fresh


def _offers(brand: Brand, row: ProfileRow, contact: SavedContact) -> list[ConsentOffer]:
    if row.consent is None:
        return []
    list_ids = row.list_ids
    if list_ids is None:
        list_ids = list(brand.mailing_lists.filter(subscriptions__contact=contact.id).values_list("pk", flat=True))
    return [ConsentOffer(contact.id, list_id, row.consent, row.evidence) for list_id in dict.fromkeys(list_ids)]
