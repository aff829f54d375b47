"""Dropping what is no longer needed: answers to old requests, files and rejected rows of old imports."""

from __future__ import annotations

from datetime import datetime, timedelta

from contacts.models import IdempotentRequest, ImportJob, ImportRejectedRow

ANSWERS = timedelta(hours=24)
FILES = timedelta(days=30)
REJECTED_ROWS = timedelta(days=90)


def forget_old_requests(*, now: datetime) -> None:
    """Answers older than a day, files of imports nobody finished in 30 days and rejected rows of 90 days are gone."""
    IdempotentRequest.objects.filter(created_at__lt=now - ANSWERS).delete()
    ImportRejectedRow.objects.filter(job__created_at__lt=now - REJECTED_ROWS).delete()
    abandoned = ImportJob.objects.filter(
        created_at__lt=now - FILES, state__in=[ImportJob.State.UPLOADED, ImportJob.State.FAILED]
    )
    for job in abandoned.exclude(file=""):
        job.file.delete(save=False)
        ImportJob.objects.filter(pk=job.pk).update(state=ImportJob.State.CANCELLED, finished_at=now, file="")
