"""Delivery's addresses: what mail links to."""

from django.urls import path, re_path

from delivery import webhooks
from delivery.tracking import preferences, views

HOOK = r"^hooks/(?P<kind>[a-z_]+)/(?P<token>[A-Za-z0-9_-]{43})"

app_name = "delivery"
urlpatterns = [
    path("o/<str:token>", views.pixel, name="pixel"),
    path("c/<str:token>/<int:index>", views.click, name="click"),
    path("d/<str:token>/<int:index>/<str:mac>/<str:target>", views.dynamic_click, name="dynamic-click"),
    path("h/<str:token>", views.honeypot, name="honeypot"),
    path("u/<str:token>", preferences.unsubscribe, name="unsubscribe"),
    # A token has 43 characters, a store's id 36: hooks/stores/ID is not ours. The last slash may get lost in pasting.
    re_path(HOOK + "/$", webhooks.receive, name="webhook"),
    re_path(HOOK + "$", webhooks.receive),
    path("p/<str:token>", preferences.preferences, name="preferences"),
]
