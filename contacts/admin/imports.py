"""Imports in the admin: the history, and own pages for a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from contacts.models import ImportJob
from contacts.views import imports


@admin.register(ImportJob)
class ImportJobAdmin(Admin[ImportJob]):
    """The history of imports; each opens the page that fits its state."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Files of people and what came of them. Importing a file twice changes nothing.",
        "admin:contacts_importjob_add",
        "Import a file",
    )
    list_display = (
        "file_name",
        "brand",
        "mailing_list",
        "state",
        "n_rows",
        "n_created",
        "n_updated",
        "n_rejected",
        "created_at",
    )
    list_filter = ("state", "brand")
    list_select_related = ("brand", "mailing_list")
    search_fields = ("file_name",)
    search_help_text = "Search by file name"
    list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        """Own buttons before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:job_id>/cancel/", wrap(imports.cancel), name="contacts_importjob_cancel"),
            path("<int:job_id>/continue/", wrap(imports.go_on), name="contacts_importjob_continue"),
            path("<int:job_id>/rejected.csv", wrap(imports.rejected_rows), name="contacts_importjob_rejected"),
        ]
        return [*own, *super().get_urls()]

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The upload page."""
        return imports.upload(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Columns, progress or result."""
        return imports.job_page(request, int(object_id))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: ImportJob | None = None) -> bool:
        """Imports are history: subscriptions name them as their source."""
        return False
