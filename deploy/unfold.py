"""What the admin theme asks of the installation: assets, sidebar, home page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, Template
from contacts.models import ApiKey, Brand, Contact, ContactField, ImportJob, MailingList, Suppression, SuppressionPolicy
from contacts.stores.models import Store
from delivery.models import (
    Brake,
    DkimKey,
    ProviderAccount,
    Receipt,
    Route,
    RouteChoice,
    ShapingMeasure,
    ShapingRule,
    SitePace,
    SiteProfile,
    SourceAddress,
    WarmUp,
)
from deploy.dashboard import home_context

FOLDED = "For operators"  # shown closed: nobody needs it for a campaign

# Groups of (title, icon of Material Symbols, model); people see the links they have the permission for.
SIDEBAR: list[tuple[str, list[tuple[str, str, type[Model]]]]] = [
    ("", [("Campaigns", "send", Campaign), ("Templates", "draft", Template)]),
    (
        "Audience",
        [
            ("Contacts", "group", Contact),
            ("Lists", "list_alt", MailingList),
            ("Imports", "upload_file", ImportJob),
            ("Suppressions", "block", Suppression),
            ("Contact fields", "tune", ContactField),
        ],
    ),
    (
        "Sending",
        [
            ("Providers", "dns", ProviderAccount),
            ("Sending domains", "domain_verification", DkimKey),
            ("Routes", "alt_route", Route),
        ],
    ),
    ("Connections", [("Stores", "storefront", Store), ("API keys", "key", ApiKey)]),
    (
        "Settings",
        [
            ("Brands", "verified", Brand),
            ("People", "person", get_user_model()),
            ("Permission groups", "shield_person", Group),
        ],
    ),
    (
        FOLDED,
        [
            ("Route choices", "fork_right", RouteChoice),
            ("Source addresses", "lan", SourceAddress),
            ("Receipts", "move_to_inbox", Receipt),
            ("Measures", "speed", ShapingMeasure),
            ("Slowed paths", "slow_motion_video", SitePace),
            ("Site profiles", "mail", SiteProfile),
            ("Shaping rules", "rule", ShapingRule),
            ("Warm-ups", "trending_up", WarmUp),
            ("Brake", "front_hand", Brake),
            ("Suppression policy", "rule", SuppressionPolicy),
        ],
    ),
]


def tokens(_request: HttpRequest) -> str:
    """Colours and spaces."""
    return static("fanfare/tokens.css")


def components(_request: HttpRequest) -> str:
    """The look of templates/components/."""
    return static("fanfare/components.css")


def pages(_request: HttpRequest) -> str:
    """The look of single pages."""
    return static("fanfare/pages.css")


def favicon(_request: HttpRequest) -> str:
    """The picture in the browser's tab."""
    return static("fanfare/favicon.svg")


def script(_request: HttpRequest) -> str:
    """The behaviour of own pages."""
    return static("fanfare/fanfare.js")


def charts(_request: HttpRequest) -> str:
    """What draws charts."""
    return static("fanfare/chart.js")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar's groups for this person."""
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    (title, first), *others = SIDEBAR
    return [
        {"title": title, "items": [home, *_items(request, first)]},
        *(_group(title, [*_pages(request, title), *_items(request, entries)]) for title, entries in others),
    ]


def _group(title: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    is_here = any(item["active"] for item in items)
    return {"title": title, "items": items, "collapsible": title == FOLDED, "is_open": is_here}


def _pages(request: HttpRequest, title: str) -> list[dict[str, Any]]:
    """Return the pages of a group that are no model's list."""
    if title != "Sending" or not request.user.has_perm("delivery.view_provideraccount"):
        return []
    link = reverse("delivery-health")
    return [{"title": "Delivery health", "icon": "monitor_heart", "link": link, "active": request.path == link}]


def _items(request: HttpRequest, entries: list[tuple[str, str, type[Model]]]) -> list[dict[str, Any]]:
    return [_item(request, *entry) for entry in entries if _may_view(request, entry[2])]


def _item(request: HttpRequest, title: str, icon: str, model: type[Model]) -> dict[str, Any]:
    link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    here = request.path.startswith(link) or (model is Campaign and _is_report(request))
    return {"title": title, "icon": icon, "link": link, "active": here}


def _is_report(request: HttpRequest) -> bool:
    """Whether this is a launched campaign's page: delivery owns it, people look for it under Campaigns."""
    match = request.resolver_match
    pages = ("delivery-report", "delivery-recipient", "delivery-uncertain", "delivery-again")
    return match is not None and (match.url_name or "").startswith(pages)


def _may_view(request: HttpRequest, model: type[Model]) -> bool:
    return admin.site.get_model_admin(model).has_view_permission(request)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the home page shows."""
    return {**context, **home_context(request, now=timezone.now())}
