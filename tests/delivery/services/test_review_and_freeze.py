"""What the review promises is what the planner freezes: one query, role accounts included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from campaigns.funnel import Funnel
from campaigns.models import Audience, Campaign
from campaigns.queries import audience_rule, count_audience
from contacts.models import Contact, Suppression, SuppressionPolicy
from contacts.services import lift_suppression, suppress_address, suppress_role_accounts
from delivery.models import Message
from delivery.services.planning import plan_next_campaign
from tests.campaigns.views.reading import page_of
from tests.delivery.factories import (
    make_account,
    make_brand,
    make_campaign,
    make_contact,
    make_list,
    make_preparing,
    make_route,
    subscribe,
)

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
FUNNEL = list(Funnel.__dataclass_fields__)


def reader(email: str) -> Contact:
    contact = make_contact(email)
    subscribe(contact, make_list())
    return contact


def people(*emails: str) -> list[Contact]:
    make_route(make_account())
    return [reader(email) for email in emails]


def frozen(campaign: Campaign) -> tuple[Funnel, set[str]]:
    """The funnel that the planner stored, and who has a message."""
    assert plan_next_campaign(now=NOW)
    row = Audience.objects.get(campaign=campaign)
    ids = Message.objects.filter(campaign_id=campaign.pk).values_list("contact_id", flat=True)
    return Funnel(**{key: getattr(row, key) for key in FUNNEL}), set(
        Contact.objects.filter(pk__in=list(ids)).values_list("address", flat=True)
    )


def test_role_accounts_are_counted_out_before_they_are_suppressed() -> None:
    people("alice@example.org", "abuse@example.org", "no-reply+shop@example.org", "info@example.org")
    campaign = make_preparing(make_list())
    promised = count_audience(audience_rule(campaign), now=NOW)
    assert promised == Funnel(n_matched=4, n_suppressed=2, n_total=2)
    assert not Suppression.objects.exists()
    assert frozen(campaign) == (promised, {"alice@example.org", "info@example.org"})
    assert Suppression.objects.filter(reason="role").count() == 2


def test_a_brands_own_policy_counts_on_the_review_too() -> None:
    people("alice@example.org", "abuse@example.org", "info@example.org", "sales@example.org")
    SuppressionPolicy.objects.create(brand=make_brand(), role_names="info\nsales")
    campaign = make_preparing(make_list())
    promised = count_audience(audience_rule(campaign), now=NOW)
    assert promised == Funnel(n_matched=4, n_suppressed=2, n_total=2)
    assert frozen(campaign) == (promised, {"alice@example.org", "abuse@example.org"})


def test_who_was_lifted_and_who_was_suppressed_for_a_while_count_alike(admin_user: Any) -> None:
    _, abuse, noc = people("alice@example.org", "abuse@example.org", "noc@example.org")
    suppress_role_accounts(make_brand().pk, now=NOW)
    for suppression in Suppression.objects.all():
        lift_suppression(suppression.pk, by=admin_user, note="they asked for it", now=NOW)
    reader("root@example.org")
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    root = Contact.objects.get(address="root@example.org")
    suppress_address(
        root.address_key,
        root.address,
        reason="soft_bounces",
        source="x",
        evidence={},
        now=long_ago,
        expires_at=long_ago,
    )
    campaign = make_preparing(make_list())
    promised = count_audience(audience_rule(campaign), now=NOW)
    assert promised == Funnel(n_matched=4, n_suppressed=1, n_total=3)
    assert frozen(campaign) == (promised, {"alice@example.org", abuse.address, noc.address})


def test_the_number_on_the_review_is_the_number_of_messages(admin_client: Client) -> None:
    people("alice@example.org", "abuse@example.org", "postmaster@example.org")
    draft = make_campaign(make_list(), state="draft")
    page = page_of(admin_client.get(f"/admin/campaigns/campaign/{draft.pk}/review/"))
    shown = page.cssselect("dl.funnel .total dd")[0].text_content().strip()
    _, mailed = frozen(make_preparing(make_list()))
    assert (shown, mailed) == ("1", {"alice@example.org"})
