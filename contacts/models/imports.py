"""Import jobs, their rejected rows, and which addresses a job has met."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .brand import Brand
from .people import MailingList


class ImportJob(models.Model):
    """One uploaded file on its way into contacts; the file stays until the job ends."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Waiting for column choices"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Importing"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    mailing_list = models.ForeignKey(MailingList, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    file = models.FileField(upload_to="imports/%Y/%m")
    file_name = models.CharField(max_length=255)
    n_bytes = models.BigIntegerField(default=0)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    has_header = models.BooleanField(default=True, help_text="The first row holds column names.")
    headers = models.JSONField(default=list, help_text="Column names, for the download of rejected rows.")
    mapping = models.JSONField(default=dict, help_text="Column number (as text) to field name.")
    consent_attested = models.BooleanField(
        default=False, help_text="Somebody stated that these people agreed to receive mail."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    # Where the next chunk begins; moved in the transaction that imports a chunk, so a crash repeats or loses nothing.
    n_bytes_done = models.BigIntegerField(default=0)
    n_lines_done = models.IntegerField(default=0)
    n_rows = models.IntegerField("rows", default=0)
    n_created = models.IntegerField("new", default=0)
    n_updated = models.IntegerField("changed", default=0)
    n_unchanged = models.IntegerField("unchanged", default=0)
    n_subscribed = models.IntegerField("joined", default=0)
    n_unsubscribed = models.IntegerField("left", default=0)
    n_suppressed = models.IntegerField(default=0, help_text="Agreed, but not subscribed: the address is suppressed.")
    n_rejected = models.IntegerField("not imported", default=0)
    n_duplicates = models.IntegerField("twice in the file", default=0)
    problem = models.TextField(blank=True)
    fence = models.IntegerField(default=0, help_text="Grows with each lease; every write of a holder names it.")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "import"
        indexes = [
            # The tick that looks for imports to run.
            models.Index(fields=["id"], condition=Q(state__in=["queued", "running"]), name="import_jobs_to_run"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def percent(self) -> int:
        """How much of the file is read, 0 to 100."""
        if self.state == self.State.FINISHED:
            return 100
        return min(99, self.n_bytes_done * 100 // self.n_bytes) if self.n_bytes else 0

    @property
    def is_under_way(self) -> bool:
        """Whether a worker has it or will take it."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}


class ImportRejectedRow(models.Model):
    """A row that was not imported: where, why, and what it said; kept for 90 days."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rejected_rows")
    line_number = models.IntegerField()
    field = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=300)
    cells = models.JSONField(default=list, help_text="The row as it was read, for the download.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "line_number"], name="one_rejection_per_line")]
        ordering = ["line_number"]

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.reason}"


class ImportedAddress(models.Model):
    """An address that a running job has met: tells duplicates within a file without holding the file in memory."""

    pk = models.CompositePrimaryKey("job_id", "address_key")
    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )  # lives for minutes; a check for each row would cost more than the row
    address_key = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.address_key} in import {self.job_id}"
