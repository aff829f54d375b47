"""Writing the sample shop into the database: once, in one transaction, through the services that pages use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import cast

from django.db import connection, transaction

from campaigns.services import create_template
from campaigns.starters import Design, starters
from contacts.addresses import Address, normalise_address
from contacts.models import Brand, ContactField, MailingList
from contacts.patches import ContactPatch
from contacts.policy import Consent, State
from contacts.services import ConsentOffer, record_consents, suppress_addresses
from contacts.staging import StagedRow, saved_contacts, stage, staging_cursor, write_contacts
from delivery.models import Brake
from deploy.demo.sample.people import Person, sample_people

SLUG = "sample-shop"
SOURCE = "sample"
CHUNK = 2000
LISTS = {
    "newsletter": ("Newsletter", "Once a month: what is new in the shop."),
    "vip": ("VIP club", "Early looks and private sales."),
    "recent": ("Ordered this week", "Filled by the shop; left out of offers."),
}
FIELDS = {
    "tier": ("Loyalty tier", "text"),
    "points": ("Points", "number"),
    "favourites": ("Favourites", "list"),
    "last_order": ("Last order", "date"),
    "newsletter_language": ("Newsletter language", "text"),
    "birthday": ("Birthday", "date"),
    "wholesale": ("Wholesale", "boolean"),
}
STATES: dict[str, State] = {"unsubscribed": "unsubscribed", "unconfirmed": "unconfirmed"}


@dataclass(frozen=True, slots=True)
class Shop:
    """The sample's brand, its lists by key, and the addresses that the newsletter must reach."""

    brand: Brand
    lists: dict[str, MailingList]
    reached: frozenset[str]


@transaction.atomic
def load_shop(n_reached: int, *, now: datetime) -> Shop:
    """The sample shop with `n_reached` people to mail, and those beside them, is in the database."""
    brand = _make_brand()
    # The catcher's readers bounce and complain as much as the shipped thresholds allow; the demo is to go on.
    Brake.objects.create(brand=brand, bounced=6, complained=2)
    lists = {
        key: MailingList.objects.create(brand=brand, name=name, description=text, public=key != "recent")
        for key, (name, text) in LISTS.items()
    }
    for key, (label, kind) in FIELDS.items():
        ContactField.objects.get_or_create(key=key, defaults={"label": label, "kind": kind})
    for starter in starters():
        create_template(brand, name=starter.name, design=Design(starter.markup, starter.body))
    reached: set[str] = set()
    for chunk in _chunks(sample_people(n_reached)):
        reached |= _load_people(chunk, lists, now)
    return Shop(brand, lists, frozenset(reached))


def analyse() -> None:
    """PostgreSQL knows the new tables' sizes: its own analysis comes a minute later, after the campaign's start."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_subscription, contacts_suppression")


def _make_brand() -> Brand:
    return Brand.objects.create(
        slug=SLUG,
        name="Willow & Clay",
        website="https://www.example.com/",
        from_name="Willow & Clay",
        from_email="hello@news.willow.example",
        reply_to="care@willow.example",
        bounce_domain="bounce.willow.example",
        postal_address="Willow & Clay Ltd, 12 Kiln Lane, Bristol BS1 4ND, United Kingdom",
        default_locale="en",
        timezone="Europe/London",
    )


def _chunks(people: Iterator[Person]) -> Iterator[list[Person]]:
    while chunk := list(islice(people, CHUNK)):
        yield chunk


def _load_people(people: Sequence[Person], lists: dict[str, MailingList], now: datetime) -> set[str]:
    addresses = [_address(person) for person in people]
    rows = [
        StagedRow(number, _patch(person, address), now)
        for number, (person, address) in enumerate(zip(people, addresses, strict=True))
    ]
    with staging_cursor() as cursor:
        stage(cursor, rows)
        write_contacts(cursor, now=now)
        saved = saved_contacts(cursor)
    for key in LISTS:
        record_consents(_offers(key, people, [saved[n].id for n in range(len(people))], lists[key], now), now=now)
    suppressed = [a for a, person in zip(addresses, people, strict=True) if person.standing == "suppressed"]
    suppress_addresses(suppressed, reason="manual", source=SOURCE, brand_id=None, now=now)
    return {a.address for a, person in zip(addresses, people, strict=True) if person.standing == "reached"}


def _address(person: Person) -> Address:
    return cast(Address, normalise_address(person.email))  # a test normalises all of them


def _patch(person: Person, address: Address) -> ContactPatch:
    return ContactPatch(
        address,
        first_name=person.first_name,
        last_name=person.last_name,
        country=person.country,
        city=person.city,
        locale=person.locale,
        timezone=person.timezone,
        fields=person.fields,
    )


def _offers(
    key: str, people: Iterable[Person], contact_ids: Iterable[int], mailing_list: MailingList, now: datetime
) -> list[ConsentOffer]:
    offers = []
    for number, (person, contact_id) in enumerate(zip(people, contact_ids, strict=True)):
        if _is_on(key, person):
            state: State = STATES.get(person.standing, "confirmed") if key == "newsletter" else "confirmed"
            consent = Consent(state, now - timedelta(days=30, minutes=number * 17), SOURCE)
            offers.append(ConsentOffer(contact_id, mailing_list.pk, consent))
    return offers


def _is_on(key: str, person: Person) -> bool:
    return {"newsletter": True, "vip": person.is_vip, "recent": person.standing == "left_out"}[key]
