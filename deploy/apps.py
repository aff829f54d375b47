"""App registration of the wiring layer: system checks, demo commands."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    """Settings, urls, Celery and the commands that run everything together."""

    name = "deploy"

    def ready(self) -> None:
        """Register the system checks, and make the Celery application the one that tasks are sent with."""
        from . import celery, checks  # noqa: F401
