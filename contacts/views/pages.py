"""The frame of the audience's own pages in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, title: str, under: type[Model], status: int = 200
) -> HttpResponse:
    """A page inside the admin: `title` is its h1, `under` the model whose list leads to it."""
    options = under._meta
    way = [
        ("Home", reverse("admin:index")),
        (capfirst(str(options.verbose_name_plural)), changelist(under)),
        (title, ""),
    ]
    frame = {**admin.site.each_context(request), "title": title, "crumbs": way}
    return render(request, template, {**frame, **context}, status=status)


def changelist(model: type[Model]) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(thing: Model) -> str:
    """The address of a thing's page."""
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])
