"""App registration."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Templates, content pipeline, campaigns, variants, schedules."""

    name = "campaigns"
    verbose_name = "Campaigns"
