"""The sample's way out (an SMTP account that ends in the catcher) and its one scheduled campaign."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Campaign
from campaigns.services import create_campaign, save_audience, save_content, schedule_campaign
from campaigns.services.drafting import ContentDraft
from campaigns.starters import Design, find_starter
from delivery.models import ProviderAccount, Route, RouteMember
from deploy.demo.sample.loading import Shop

ACCOUNT = "Mail catcher (demo)"
STARTER = "newsletter"


@transaction.atomic
def route_to_catcher(port: int, *, per_second: float | None) -> Route:
    """The default route leads to the catcher on 127.0.0.1:`port`; an account that is there only learns the port."""
    options = {"host": "127.0.0.1", "port": port, "tls": "none", "helo_name": "demo.willow.example"}
    account, created = ProviderAccount.objects.get_or_create(
        name=ACCOUNT,
        defaults={"options": options, "messages_per_second": per_second, "max_connections": 8},
    )
    if not created:
        ProviderAccount.objects.filter(pk=account.pk).update(options=options)
    route, _ = Route.objects.get_or_create(key="catcher", defaults={"name": "Mail catcher", "is_default": True})
    RouteMember.objects.get_or_create(route=route, account=account)
    return route


def make_campaign(shop: Shop, *, by: Any, send_at: datetime, now: datetime) -> Campaign:
    """A campaign to the newsletter and the VIP club, without those who ordered this week, is scheduled."""
    starter = find_starter(STARTER)
    design = Design(starter.markup, starter.body) if starter else Design()
    campaign = create_campaign(shop.brand, name="Spring letter", by=by, design=design)
    lists = shop.lists
    save_audience(
        campaign.pk,
        name=campaign.name,
        send_to=[lists["newsletter"], lists["vip"]],
        exclude=[lists["recent"]],
        now=now,
    )
    variant = campaign.variants.get()
    draft = ContentDraft(
        subject="{{ contact.first_name | default: 'Hello' }}, three good things for spring",
        preheader="New glazes, a linen sale and an open studio",
        from_name="",
        from_email="",
        reply_to="",
        markup=variant.markup,
        body=variant.body,
        text=variant.text,
    )
    save_content(campaign.pk, variant.pk, draft, now=now)
    schedule_campaign(campaign.pk, send_at=send_at, timezone=shop.brand.timezone, by=by, now=now)
    campaign.refresh_from_db()
    return campaign
