"""Typed makers of delivery's rows; a test names only what matters to it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from campaigns.models import Campaign, FrozenContent, Variant
from contacts.addresses import Address, normalise_address
from contacts.models import Brand, Contact, MailingList, Subscription
from delivery.models import Batch, ProviderAccount, Route, RouteMember
from delivery.services.planning import plan_next_campaign

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)

NEWSLETTER = """<html><body><p>Hello {{ contact.first_name | default: "friend" }},</p>
<p><a href="https://shop.example/sale">the sale</a></p>
<p>{{ brand.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>"""


def make_brand(name: str = "Acme") -> Brand:
    brand, _ = Brand.objects.get_or_create(
        slug=name.lower(),
        defaults={
            "name": name,
            "from_name": name,
            "from_email": f"news@news.{name.lower()}.example",
            "bounce_domain": f"bounce.{name.lower()}.example",
            "postal_address": "1 Main Street, Springfield",
        },
    )
    return brand


def make_list(brand: Brand | None = None, name: str = "News") -> MailingList:
    mailing_list, _ = MailingList.objects.get_or_create(brand=brand or make_brand(), name=name)
    return mailing_list


def make_contact(email: str | None = None, *, first_name: str = "", fields: dict[str, object] | None = None) -> Contact:
    address = normalise_address(email or f"reader{next(_numbers)}@example.org")
    assert isinstance(address, Address)
    return Contact.objects.create(
        email=address.email,
        address=address.address,
        address_key=address.key,
        domain=address.domain,
        first_name=first_name,
        fields=fields or {},
    )


def subscribe(contact: Contact, mailing_list: MailingList, state: str = "confirmed") -> Subscription:
    return Subscription.objects.create(contact=contact, mailing_list=mailing_list, state=state)


def make_readers(n: int, mailing_list: MailingList, *, domain: str = "example.org") -> list[Contact]:
    addresses = [normalise_address(f"reader{next(_numbers)}@{domain}") for _ in range(n)]
    contacts = [
        Contact(
            email=found.email, address=found.address, address_key=found.key, domain=found.domain, first_name=f"Ada{i}"
        )
        for i, found in enumerate(addresses)
        if isinstance(found, Address)
    ]
    Contact.objects.bulk_create(contacts)
    Subscription.objects.bulk_create(
        [Subscription(contact=contact, mailing_list=mailing_list, state="confirmed") for contact in contacts]
    )
    return contacts


def make_account(*, host: str = "127.0.0.1", port: int = 25, **limits: Any) -> ProviderAccount:
    options = {"host": host, "port": port, "tls": "none"}
    return ProviderAccount.objects.create(name=f"account {next(_numbers)}", options=options, **limits)


def make_route(account: ProviderAccount | None = None, *, default: bool = True) -> Route:
    route = Route.objects.create(key=f"route-{next(_numbers)}", name="Route", is_default=default)
    RouteMember.objects.create(route=route, account=account or make_account())
    return route


def make_campaign(
    mailing_list: MailingList, *, state: str = "scheduled", body: str = NEWSLETTER, **fields: Any
) -> Campaign:
    campaign = Campaign.objects.create(
        brand=mailing_list.brand, name="Sale", state=state, send_at=fields.pop("send_at", NOW), **fields
    )
    campaign.send_to.add(mailing_list)
    Variant.objects.create(campaign=campaign, subject="Hello {{ contact.first_name }}", markup="html", body=body)
    return campaign


def make_preparing(mailing_list: MailingList, **fields: Any) -> Campaign:
    """A campaign that waits for the planner, with content that needs no compiling."""
    campaign = make_campaign(mailing_list, state="preparing", launched_at=datetime.now(UTC), **fields)
    variant = campaign.variants.get()
    content = {
        "subject": "Hi",
        "preheader": "",
        "html": "",
        "text": "",
        "links": [],
        "merge_fields": [],
        "warnings": [],
    }
    FrozenContent.objects.create(campaign=campaign, variant=variant, content=content, identity={})
    return campaign


def make_sending(n: int = 3, *, mailing_list: MailingList | None = None, route: Route | None = None) -> Campaign:
    """A planned campaign to `n` readers."""
    mailing_list = mailing_list or make_list()
    make_readers(n, mailing_list)
    if route is None and not Route.objects.exists():
        make_route()
    campaign = make_preparing(mailing_list)
    planned = plan_next_campaign(now=datetime.now(UTC))
    assert planned is not None
    campaign.refresh_from_db()
    return campaign


def only_batch(campaign: Campaign) -> Batch:
    return Batch.objects.get(campaign_id=campaign.pk)
