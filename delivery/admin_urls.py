"""Addresses of delivery's own pages inside the admin."""

from django.contrib import admin
from django.urls import path

from delivery.views import health, recipients, report, uncertain

wrap = admin.site.admin_view
urlpatterns = [
    path("health/", wrap(health.health), name="delivery-health"),
    path("reports/<int:campaign_id>/", wrap(report.report), name="delivery-report"),
    path("reports/<int:campaign_id>/recipients/", wrap(recipients.recipient_list), name="delivery-recipients"),
    path(
        "reports/<int:campaign_id>/recipients/<int:contact_id>/", wrap(recipients.recipient), name="delivery-recipient"
    ),
    path("reports/<int:campaign_id>/uncertain/", wrap(uncertain.uncertain_list), name="delivery-uncertain"),
    path("reports/<int:campaign_id>/uncertain/accept/", wrap(uncertain.accept), name="delivery-uncertain-accept"),
    path("reports/<int:campaign_id>/uncertain/send-again/", wrap(uncertain.send_again), name="delivery-again"),
    path("reports/<int:campaign_id>/export.csv", wrap(recipients.export), name="delivery-export"),
    path("reports/<int:campaign_id>/links/<int:index>/switch/", wrap(report.switch_link), name="delivery-switch-link"),
]
