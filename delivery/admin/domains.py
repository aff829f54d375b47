"""Sending domains in the admin; the pages are delivery.views.domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from typing_extensions import override

from delivery.models import DkimKey
from delivery.views import domains

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin

    KeyBase = ModelAdmin[DkimKey]
else:
    from unfold.admin import ModelAdmin

    KeyBase = ModelAdmin


@admin.register(DkimKey)
class DkimKeyAdmin(KeyBase):
    """One page per brand, with its records and keys; there is no form of a key, and none shows its secret."""

    @override
    def get_queryset(self, request: HttpRequest) -> Any:
        """Pages need no private keys, and a wrong encryption key must not close them."""
        return super().get_queryset(request).defer("secrets")

    @override
    def get_urls(self) -> list[URLPattern]:
        """Own pages in front, and none of the standard forms."""
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(domains.domain_list), name="delivery_dkimkey_changelist"),
            path("<int:brand_id>/", wrap(domains.show_domain), name="delivery_domain"),
            path("<int:brand_id>/check/", wrap(domains.check), name="delivery_domain_check"),
            path("<int:brand_id>/keys/", wrap(domains.add_key), name="delivery_domain_add_key"),
            path("<int:brand_id>/keys/<int:key_id>/<str:deed>/", wrap(domains.change_key), name="delivery_domain_key"),
        ]
