"""Campaigns and what they stand on; a test names only what matters to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from campaigns.models import Campaign, Template, Variant
from contacts.models import Brand, Contact, MailingList, Suppression
from tests.contacts.factories import make_brand, make_contact, make_list, subscribe

NOW = datetime(2026, 1, 1, tzinfo=UTC)

BODY = """<html><head></head><body><p>Hello {{ contact.first_name | default: "there" }}</p>
<p><a href="https://shop.example/sale">The sale</a></p>
<p>{{ brand.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>"""
WITHOUT_LINK = "<html><body><p>Hello</p><p>{{ brand.postal_address }}</p></body></html>"
BROKEN = "<html><body><p>{% if %}</p></body></html>"


def make_campaign(
    *lists: MailingList, brand: Brand | None = None, exclude: Iterable[MailingList] = (), **fields: Any
) -> Campaign:
    """A campaign with one variant; `subject`, `body` and other fields of the variant may be named too."""
    content: dict[str, Any] = {"subject": "A new season", "preheader": "It is here", "markup": "html", "body": BODY}
    content |= {name: fields.pop(name) for name in (*content, "from_email", "from_name") if name in fields}
    sender = brand or (lists[0].brand if lists else make_brand())
    campaign = Campaign.objects.create(**({"brand": sender, "name": "Sale"} | fields))
    campaign.send_to.set(lists)
    campaign.exclude.set(exclude)
    Variant.objects.create(campaign=campaign, **content)
    return campaign


def make_ready_campaign(**fields: Any) -> Campaign:
    """A draft with one confirmed reader, that nothing keeps from being sent."""
    mailing_list = make_list()
    subscribe(make_contact(), mailing_list)
    return make_campaign(mailing_list, **fields)


def make_template(name: str = "Newsletter", brand: Brand | None = None, **fields: Any) -> Template:
    """A stored design."""
    values: dict[str, Any] = {"markup": "html", "body": BODY}
    return Template.objects.create(brand=brand or make_brand(), name=name, **(values | fields))


def suppress(contact: Contact, **values: Any) -> Suppression:
    """An address that must not be mailed: everywhere, unless a brand or a list is named."""
    defaults: dict[str, Any] = {"reason": "hard_bounce", "source": "dsn"}
    return Suppression.objects.create(address_key=contact.address_key, address=contact.address, **(defaults | values))
