"""Celery tasks of the audience: run imports, forget old requests."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from contacts.imports.pipeline import LeaseLost, fail_import, lease_import, run_import
from contacts.services import renew_statistics
from contacts.services.forgetting import forget_old_requests as forget

logger = logging.getLogger(__name__)
BUDGET = timedelta(seconds=45)  # well under the task time limit; the next tick goes on where this one stopped


@shared_task
def run_imports() -> None:
    """Work on one waiting import for up to 45 seconds."""
    started = timezone.now()
    job = lease_import(started)
    if job is None:
        return
    try:
        run_import(job, clock=timezone.now, until=started + BUDGET)
    except LeaseLost:
        logger.info("import_lease_lost job=%s", job.pk)
    except OperationalError:
        raise  # the database is away: the lease runs out and a later tick goes on
    except Exception as error:  # the outermost frame: a job that fails must say so on its page
        logger.exception("import_failed job=%s", job.pk)
        fail_import(job, f"The import stopped: {error}", now=timezone.now())
    renew_statistics()


@shared_task
def forget_old_requests() -> None:
    """Drop what is no longer needed."""
    forget(now=timezone.now())
