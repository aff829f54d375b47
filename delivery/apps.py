"""App registration."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Routes, planning, sending, limits, events, reports."""

    name = "delivery"
    verbose_name = "Delivery"

    def ready(self) -> None:
        """Fill the registries that campaigns owns."""
        from delivery import registrations

        registrations.register()
