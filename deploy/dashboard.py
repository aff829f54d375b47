"""What the home page shows: first steps, alerts, campaigns, the audience and its growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Model
from django.db.models.functions import TruncDay
from django.http import HttpRequest
from django.urls import reverse

from campaigns.charts import Chart, Series
from campaigns.models import Campaign, Template
from campaigns.queries import campaigns_for_list
from campaigns.views.campaign_list import CampaignRow, campaign_rows
from contacts.models import Brand, Contact, ImportJob
from contacts.queries import estimated_count
from delivery.models import ProviderAccount
from deploy.attention import Alert, sending_alerts

State = Campaign.State
N_SHOWN = 5
GROWTH = timedelta(days=30)
# Up to here counting takes milliseconds; above, the planner's estimate is shown as "about".
COUNTED_UP_TO = 200_000


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One line of the checklist of an empty installation."""

    title: str
    text: str
    url: str
    done: bool


def home_context(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """Return the home page's parts that this person may see."""
    context: dict[str, Any] = {"title": "Home", "crumbs": [], "first_steps": first_steps()}
    if request.user.has_perm("campaigns.view_campaign"):
        context |= _campaigns() | {"alerts": alerts(now=now)}
    if request.user.has_perm("contacts.view_contact"):
        context |= _audience(now)
    return context


def first_steps() -> list[FirstStep]:
    """Return what a new installation still needs, in order; an empty list once a campaign has been launched."""
    if Campaign.objects.exclude(launched_at=None).exists():
        return []
    return [
        FirstStep(
            "Set up your brand",
            "Sender name and address, sending domain and the postal address that the law wants.",
            _url("contacts_brand_add"),
            Brand.objects.exists(),
        ),
        FirstStep(
            "Connect a provider",
            "The SMTP relay or service that carries your mail, and the route that leads to it.",
            _url("delivery_provideraccount_add"),
            ProviderAccount.objects.filter(enabled=True).exists(),
        ),
        FirstStep(
            "Import your contacts",
            "A CSV file from your shop or your old newsletter tool; columns are recognised.",
            _url("contacts_importjob_add"),
            Contact.objects.exists(),
        ),
        FirstStep(
            "Make a template",
            "Start from one of the shipped designs and put in your own words.",
            _url("campaigns_template_changelist"),
            Template.objects.exists(),
        ),
        FirstStep(
            "Send your first campaign",
            "Choose who receives it, write a subject, look at the preview, send yourself a test.",
            _url("campaigns_campaign_add"),
            False,
        ),
    ]


def alerts(*, now: datetime) -> list[Alert]:
    """Return what waits for a person, worst first."""
    found = sending_alerts(now=now)
    fell_back = Campaign.objects.filter(state=State.DRAFT).exclude(state_reason="")[:N_SHOWN]
    found += [
        Alert(f"“{campaign}” was not sent. {campaign.state_reason}", _change(campaign), "bad") for campaign in fell_back
    ]
    failed = ImportJob.objects.filter(state=ImportJob.State.FAILED)[:N_SHOWN]
    found += [Alert(f"The import of {job} failed. {job.problem}", _change(job)) for job in failed]
    return found


def _campaigns() -> dict[str, list[CampaignRow]]:
    under_way = campaign_rows(list(campaigns_for_list(states=Campaign.ACTIVE)[:N_SHOWN]))
    scheduled = campaigns_for_list(states=[State.SCHEDULED]).order_by("send_at")
    finished = campaigns_for_list(states=[State.FINISHED]).order_by("-finished_at")
    return {
        "under_way": under_way,
        "scheduled": campaign_rows(list(scheduled[:N_SHOWN])),
        "finished": campaign_rows(list(finished[:N_SHOWN])),
    }


def _audience(now: datetime) -> dict[str, Any]:
    estimate = estimated_count(Contact)
    exact = estimate < COUNTED_UP_TO
    since = (now - GROWTH).replace(hour=0, minute=0, second=0, microsecond=0)
    joined = Contact.objects.filter(created_at__gte=since)
    per_day = dict(
        joined.annotate(day=TruncDay("created_at")).values_list("day").annotate(n_contacts=Count("pk")).order_by("day")
    )
    days = [since + timedelta(days=at) for at in range(GROWTH.days + 1)]
    return {
        "contacts_url": _url("contacts_contact_changelist"),
        "n_contacts": Contact.objects.count() if exact else estimate,
        "n_contacts_exact": exact,
        "n_joined": sum(per_day.values()),
        "growth": Chart(
            id="growth",
            title="New contacts per day",
            labels=[f"{day:%-d %b}" for day in days],
            series=[Series("New contacts", [per_day.get(day, 0) for day in days])],
            kind="bar",
            label_name="Day",
        ),
    }


def _change(row: Model) -> str:
    return _url(f"{row._meta.app_label}_{row._meta.model_name}_change", row.pk)


def _url(name: str, *args: object) -> str:
    return reverse(f"admin:{name}", args=args)
