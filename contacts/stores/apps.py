"""App registration."""

from django.apps import AppConfig


class StoresConfig(AppConfig):
    """E-commerce stores: signed intake now; connectors, orders and products have their room here."""

    name = "contacts.stores"
    label = "stores"
    verbose_name = "Stores"
