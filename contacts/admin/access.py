"""API keys in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, Intro
from contacts.models import ApiKey
from contacts.views import access


@admin.register(ApiKey)
class ApiKeyAdmin(Admin[ApiKey]):
    """Keys by their prefixes; a key itself is shown once, when it is made."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Keys let stores and scripts sync people of a brand. A key is shown once, when it is made.",
        "api-1:openapi-view",
        "How to use the API",
    )
    list_display = ("name", "prefix", "brand", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    search_fields = ("name", "prefix")
    search_help_text = "Search by name or prefix"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """The button before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [path("<int:key_id>/revoke/", wrap(access.revoke), name="contacts_apikey_revoke")]
        return [*own, *super().get_urls()]

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a key."""
        return access.new_api_key(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The key's page."""
        return access.show_api_key(request, int(object_id))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keys are revoked, not deleted."""
        return False
