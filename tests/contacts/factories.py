"""People, lists and brands for tests: a test names only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contacts.addresses import Address, normalise_address
from contacts.models import Brand, Contact, MailingList, Subscription
from contacts.patches import ContactPatch

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_brand(name: str = "Blumenladen", **values: Any) -> Brand:
    """A brand that could send."""
    slug = name.lower().replace(" ", "-")
    defaults: dict[str, Any] = {
        "slug": slug,
        "from_name": name,
        "from_email": f"news@{slug}.example",
        "bounce_domain": f"bounces.{slug}.example",
        "postal_address": "Gartenweg 1, Berlin",
    }
    return Brand.objects.create(name=name, **(defaults | values))


def make_list(brand: Brand | None = None, name: str = "Newsletter") -> MailingList:
    """A mailing list, of a brand of its own unless one is given."""
    return MailingList.objects.create(brand=brand or make_brand(), name=name)


def address(text: str) -> Address:
    """A usable address."""
    found = normalise_address(text)
    assert isinstance(found, Address), found
    return found


def patch(text: str, **values: Any) -> ContactPatch:
    """What somebody says about the contact of an address."""
    return ContactPatch(address(text), **values)


def make_contact(text: str = "alice@example.com", **values: Any) -> Contact:
    """A contact, subscribed to nothing."""
    found = address(text)
    return Contact.objects.create(
        email=found.email, address=found.address, domain=found.domain, address_key=found.key, **values
    )


def subscribe(contact: Contact, mailing_list: MailingList, state: str = "confirmed", **values: Any) -> Subscription:
    """A subscription in a state, given in the admin a day before NOW."""
    defaults: dict[str, Any] = {"source": "admin", "consent_at": datetime(2025, 12, 31, tzinfo=UTC)}
    return Subscription.objects.create(contact=contact, mailing_list=mailing_list, state=state, **(defaults | values))
