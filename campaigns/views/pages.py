"""The frame that all own pages of the admin share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

Crumbs = list[tuple[str, str]]


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, title: str, crumbs: Crumbs, status: int = 200
) -> HttpResponse:
    """Render a page inside the admin: `title` is its h1, `crumbs` are pairs of title and address above it."""
    way = [*crumbs, (title, "")] if crumbs else []
    frame = {**admin.site.each_context(request), "title": title, "crumbs": way}
    return render(request, template, {**frame, **context}, status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with; None where it is only shown."""
    return request.POST if request.method == "POST" else None


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Return the page that a button was pressed on, which its form names in `next`, if it is one of ours."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return otherwise


def home_crumbs() -> Crumbs:
    """Return the way to the pages of the sidebar."""
    return [("Home", reverse("admin:index"))]


def campaign_crumbs() -> Crumbs:
    """Return the way to a campaign's pages."""
    return [*home_crumbs(), ("Campaigns", reverse("admin:campaigns_campaign_changelist"))]


def template_crumbs() -> Crumbs:
    """Return the way to a template's pages."""
    return [*home_crumbs(), ("Templates", reverse("admin:campaigns_template_changelist"))]
