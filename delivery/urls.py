"""Delivery's addresses: what mail links to."""

from django.urls import path

from delivery.tracking import preferences, views

app_name = "delivery"
urlpatterns = [
    path("o/<str:token>", views.pixel, name="pixel"),
    path("c/<str:token>/<int:index>", views.click, name="click"),
    path("d/<str:token>/<int:index>/<str:mac>/<str:target>", views.dynamic_click, name="dynamic-click"),
    path("h/<str:token>", views.honeypot, name="honeypot"),
    path("u/<str:token>", preferences.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", preferences.preferences, name="preferences"),
]
