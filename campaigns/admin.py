"""Campaigns and templates in the admin: own pages under the admin's addresses, permissions and frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from campaigns.models import Campaign, Template
from campaigns.views import audience, campaign_list, content, designs, opening, previews, review, running, schedule

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin

    CampaignBase = ModelAdmin[Campaign]
    TemplateBase = ModelAdmin[Template]
else:
    from unfold.admin import ModelAdmin

    CampaignBase = TemplateBase = ModelAdmin


@admin.register(Campaign)
class CampaignAdmin(CampaignBase):
    """Campaign pages; the theme's own change form is never shown."""

    def get_urls(self) -> list[URLPattern]:
        """The wizard's steps, fragments and buttons, before the standard addresses."""
        wrap = self.admin_site.admin_view
        views = {
            "audience": audience.audience_step,
            "count": audience.audience_count,
            "content": content.content_step,
            "preview": previews.preview_content,
            "schedule": schedule.schedule_step,
            "review": review.review_step,
            "duplicate": running.duplicate,
            "pause": running.pause,
            "resume": running.resume,
            "cancel": running.cancel,
            "unschedule": running.unschedule,
        }
        own = [
            path(f"<int:campaign_id>/{name}/", wrap(view), name=f"campaigns_campaign_{name}")
            for name, view in views.items()
        ]
        variant = path("variant/<int:variant_id>/", wrap(previews.show_variant), name="campaigns_variant_show")
        return [*own, variant, *super().get_urls()]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list with progress and figures."""
        return campaign_list.campaign_list(request)

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The start of the wizard."""
        return opening.new_campaign(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that fits the campaign's state."""
        return opening.open_campaign(request, int(object_id))

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Only drafts can be deleted; what was launched is history."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.state == Campaign.State.DRAFT)


@admin.register(Template)
class TemplateAdmin(TemplateBase):
    """The gallery and the editor."""

    def get_urls(self) -> list[URLPattern]:
        """Preview addresses before the standard ones."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:template_id>/preview/", wrap(previews.preview_template), name="campaigns_template_preview"),
            path("<int:template_id>/show/", wrap(previews.show_template), name="campaigns_template_show"),
            path("starter/<slug:key>/", wrap(previews.show_starter), name="campaigns_template_starter"),
            path("readers/", wrap(previews.suggest_readers), name="campaigns_template_readers"),
        ]
        return [*own, *super().get_urls()]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The gallery."""
        return designs.template_list(request)

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new template."""
        return designs.new_template(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The editor."""
        return designs.edit_template(request, int(object_id))
