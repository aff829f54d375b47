"""The audience and the campaign that `bench send` measures with: written by SQL, removed afterwards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from campaigns.models import Campaign, Variant
from campaigns.services import launch_campaign
from contacts.models import Brand, ContactField, MailingList
from delivery.benchmarks.newsletter import contact_fields, newsletter_source
from delivery.dkim import KeyKind
from delivery.models import DkimKey, ProviderAccount, Route, RouteMember
from delivery.services.dkim_keys import activate_dkim_key, add_dkim_key

SENDING_DOMAIN = "news.bench.example"

CONTACTS = """
INSERT INTO contacts_contact (uuid, email, address, address_key, domain, first_name, last_name, phone, country, city,
    locale, timezone, fields)
SELECT gen_random_uuid(), a, a, md5(a)::uuid, d, 'Ada ' || i, 'Lovelace', '', 'GB', 'London', 'en', '',
    (%(fields)s::jsonb[])[1 + i %% array_length(%(fields)s::jsonb[], 1)]
FROM (SELECT i, 'reader' || i || '@' || d AS a, d FROM (
    SELECT i, (ARRAY['gmail.com', 'gmail.com', 'gmail.com', 'yahoo.com', 'outlook.com', 'example.org',
        'example.net'])[1 + i %% 7] AS d
    FROM generate_series(1, %(n)s) i) x) y
ON CONFLICT (address) DO NOTHING
"""

JOIN = """
INSERT INTO contacts_subscription (contact_id, mailing_list_id, state, source)
SELECT id, %(list)s, 'confirmed', 'bench' FROM contacts_contact WHERE address LIKE 'reader%%' ORDER BY id LIMIT %(n)s
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Shape:
    """What is sent: how many, how big, how many tracked links, which of the newsletter's templates."""

    recipients: int
    size_kb: int
    links: int
    template: str = "plain"


def make_audience(shape: Shape) -> MailingList:
    """A brand with a list of `shape.recipients` confirmed contacts, each with the newsletter's custom fields."""
    brand, _ = Brand.objects.get_or_create(
        slug="bench",
        defaults={
            "name": "Bench",
            "from_name": "Bench",
            "from_email": f"news@{SENDING_DOMAIN}",
            "bounce_domain": "bounce.bench.example",
            "postal_address": "1 Measure Street, London",
        },
    )
    mailing_list, _ = MailingList.objects.get_or_create(brand=brand, name=f"bench {shape.recipients}")
    for key in contact_fields(0):
        ContactField.objects.get_or_create(key=key, defaults={"label": key})
    fields = [msgspec.json.encode(contact_fields(i)).decode() for i in range(min(shape.recipients, 997))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CONTACTS, {"n": shape.recipients, "fields": fields})
        cursor.execute(JOIN, {"n": shape.recipients, "list": mailing_list.pk})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact")
        cursor.execute("ANALYZE contacts_subscription")
    return mailing_list


def make_route(host: str, port: int, connections: int) -> Route:
    """A route with one SMTP account to the sink; `connections` per worker are its limit times the workers."""
    account = ProviderAccount(
        options={"host": host, "port": port, "tls": "none"},
        max_connections=connections,
        messages_per_connection=1_000_000,
    )
    return add_route(account)


def add_route(account: ProviderAccount) -> Route:
    """The account is saved under a name of its own, with a route that has nothing else."""
    account.name = f"bench {uuid.uuid4().hex[:8]}"
    account.save()
    route = Route.objects.create(key=f"bench-{uuid.uuid4().hex[:8]}", name="Bench")
    RouteMember.objects.create(route=route, account=account)
    return route


def sign_with(kind: str) -> None:
    """The bench's domain has an active key of the kind, and no other; "": none."""
    DkimKey.objects.filter(domain=SENDING_DOMAIN).delete()
    if kind:
        key = add_dkim_key(SENDING_DOMAIN, KeyKind(kind), now=timezone.now())
        activate_dkim_key(key.pk, unseen=True, now=timezone.now())


def launch(mailing_list: MailingList, route: Route, shape: Shape, *, now: datetime) -> Campaign:
    """A campaign in state preparing: what the planner finds."""
    source = newsletter_source(shape.size_kb, shape.links, shape.template)
    campaign = Campaign.objects.create(
        brand=mailing_list.brand, name="Bench", route_key=route.key, state="scheduled", send_at=now
    )
    campaign.send_to.add(mailing_list)
    Variant.objects.create(
        campaign=campaign, subject=source.subject, preheader=source.preheader, markup=source.markup, body=source.body
    )
    if not launch_campaign(campaign.pk, now=now):
        campaign.refresh_from_db()
        raise RuntimeError(campaign.state_reason)
    return campaign
