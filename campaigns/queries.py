"""Reads about campaigns that are used twice or need more than one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from campaigns.funnel import Funnel, funnel_of
from campaigns.models import Campaign, FrozenContent, Variant
from contacts.models import Brand, MailingList, Subscription
from contacts.queries import ROLE_ACCOUNTS, role_params

SQL = Path(__file__).parent / "sql"
COUNT_VERDICTS = "SELECT verdict, count(*), sum(n_subscriptions)::bigint"


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """Who a campaign is for: primary keys of the lists to send to and to leave out."""

    brand_id: int
    send_to: tuple[int, ...]
    exclude: tuple[int, ...] = ()


@cache
def audience_sql() -> str:
    """Return the one definition of an audience: rows of (contact_id, n_subscriptions, verdict); see the file."""
    return (SQL / "audience.sql").read_text().format(role_accounts=ROLE_ACCOUNTS)


def audience_params(rule: AudienceRule, *, now: datetime) -> dict[str, Any]:
    """Return the parameters of `audience_sql`."""
    lists = {"send_to": list(rule.send_to), "exclude": list(rule.exclude)}
    return lists | {"brand_id": rule.brand_id, "now": now} | role_params(rule.brand_id)


def audience_rule(campaign: Campaign) -> AudienceRule:
    """Return the rule that a campaign's lists make."""
    return AudienceRule(
        brand_id=campaign.brand_id,
        send_to=tuple(campaign.send_to.values_list("pk", flat=True)),
        exclude=tuple(campaign.exclude.values_list("pk", flat=True)),
    )


def count_audience(rule: AudienceRule, *, now: datetime) -> Funnel:
    """Count the funnel in one statement, by the same text that the planner freezes the audience with."""
    if not rule.send_to:
        return Funnel()
    # Joined, not filled in: audience_sql is a file of ours, its values are parameters.
    statement = " ".join([COUNT_VERDICTS, "FROM (", audience_sql(), ") AS audience GROUP BY verdict"])
    with connection.cursor() as cursor:
        cursor.execute(statement, audience_params(rule, now=now))
        return funnel_of(cursor.fetchall())


def lists_with_counts(brand: Brand) -> QuerySet[MailingList]:
    """Return the brand's lists, each with `n_confirmed`, by name."""
    confirmed = Q(subscriptions__state=Subscription.State.CONFIRMED)
    return brand.mailing_lists.annotate(n_confirmed=Count("subscriptions", filter=confirmed)).order_by("name")


def campaigns_for_list(*, states: Sequence[str] = (), words: str = "") -> QuerySet[Campaign]:
    """Return campaigns with brand, audience and variants, newest first; `words` is looked for in name and subject."""
    campaigns = Campaign.objects.select_related("brand", "audience").prefetch_related("variants")
    if states:
        campaigns = campaigns.filter(state__in=states)
    if words:
        subjects = Variant.objects.filter(subject__icontains=words).values("campaign")
        campaigns = campaigns.filter(Q(name__icontains=words) | Q(pk__in=subjects))
    return campaigns.order_by("-id")


def due_campaign_ids(now: datetime) -> list[int]:
    """Return the scheduled campaigns whose time has come, the longest waiting first."""
    due = Campaign.objects.filter(state=Campaign.State.SCHEDULED, send_at__lte=now).order_by("send_at")
    return list(due.values_list("pk", flat=True))


def frozen_contents(campaign_id: int) -> list[FrozenContent]:
    """Return what each variant said at launch, with the variant, in order of the variants' names."""
    contents = FrozenContent.objects.filter(campaign=campaign_id).select_related("variant", "campaign")
    return list(contents.order_by("variant__name"))
