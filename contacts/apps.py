"""App registration."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """People, lists, consent, suppression, import."""

    name = "contacts"
    verbose_name = "Audience"
