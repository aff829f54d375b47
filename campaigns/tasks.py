"""What beat ticks for campaigns; running any of it twice at once is harmless."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from campaigns.services import launch_due_campaigns


@shared_task(name="campaigns.tasks.launch_due", ignore_result=True)
def launch_due() -> None:
    """Launch the campaigns whose time has come."""
    launch_due_campaigns(now=timezone.now())
