"""App registration of the wiring layer: system checks, demo commands."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    """Settings, urls, Celery and the commands that run everything together."""

    name = "deploy"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401
