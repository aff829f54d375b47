"""Celery tasks of stores: process what came in, forget old deliveries."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from contacts.stores import processing

BUDGET = 20.0  # seconds


@shared_task
def process_deliveries() -> None:
    """Process due deliveries for up to 20 seconds."""
    until = time.monotonic() + BUDGET
    while time.monotonic() < until and processing.process_next(now=timezone.now()):
        pass


@shared_task
def forget_old_deliveries() -> None:
    """Drop deliveries older than 30 days."""
    processing.forget_old_deliveries(now=timezone.now())
