"""Running an import: leased to one worker, written chunk by chunk, resumed at the byte where the last chunk ended.

Each chunk is one transaction that writes the contacts, their subscriptions, the rejected rows and the job's position
and counts, so a crash between chunks repeats nothing and loses nothing, and importing a file twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO, cast

from django.db import transaction
from django.db.models import F, Q

from contacts.models import ContactField, ImportedAddress, ImportJob, ImportRejectedRow
from contacts.staging import StagedRow, drop_erased, stage, staging_cursor, write_contacts

from .records import Dialect, Position, Record, read_records
from .rows import ImportRow, RejectedRow, RowReader
from .subscribing import mark_duplicates, subscribe_staged, unsubscribe_staged

CHUNK_ROWS = 5_000
LEASE = timedelta(minutes=2)
Row = tuple[Record, ImportRow | RejectedRow]
MAX_RAW = 10_000  # characters kept of a rejected row
ERASED = "This person asked to be erased and is not added again."


class LeaseLost(Exception):
    """The job was cancelled or taken over while a chunk was being written; the chunk is rolled back."""


@dataclass(slots=True)
class Counts:
    """What one chunk adds to the job's counts."""

    n_rows: int = 0
    n_created: int = 0
    n_updated: int = 0
    n_unchanged: int = 0
    n_subscribed: int = 0
    n_unsubscribed: int = 0
    n_suppressed: int = 0
    n_rejected: int = 0
    n_duplicates: int = 0


def lease_import(now: datetime) -> ImportJob | None:
    """The oldest job that waits, or whose worker has gone, now held under a new fence; None if there is none."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    with transaction.atomic():
        job = (
            ImportJob.objects.select_for_update(skip_locked=True)
            .filter(free, state__in=[ImportJob.State.QUEUED, ImportJob.State.RUNNING])
            .order_by("pk")
            .first()
        )
        if job is None:
            return None
        job.state = ImportJob.State.RUNNING
        job.fence += 1
        job.lease_until = now + LEASE
        job.started_at = job.started_at or now
        job.save(update_fields=["state", "fence", "lease_until", "started_at"])
    return job


def run_import(job: ImportJob, *, clock: Callable[[], datetime], until: datetime, chunk_rows: int = CHUNK_ROWS) -> bool:
    """Import chunks of a leased job until the file ends or `until`; returns whether the job has ended.

    Raises LeaseLost when somebody cancelled the job or took it over.
    """
    kinds = dict(ContactField.objects.values_list("key", "kind"))
    with job.file.open("rb") as file, ThreadPoolExecutor(max_workers=1) as ahead:
        chunks = _chunks(*_open(job, cast("BinaryIO", file), kinds), chunk_rows)
        coming = ahead.submit(next, chunks, None)
        while rows := coming.result():
            coming = ahead.submit(next, chunks, None)  # reads while PostgreSQL writes: each is about half of the time
            import_chunk(job, rows, now=clock())
            if clock() >= until:
                _change(job, lease_until=None)
                return False
    finish_import(job, now=clock())
    return True


def _chunks(reader: RowReader, records: Iterator[Record], chunk_rows: int) -> Iterator[list[Row]]:
    while rows := [(record, reader.read(record)) for record in islice(records, chunk_rows)]:
        yield rows


def _open(job: ImportJob, file: BinaryIO, kinds: dict[str, str]) -> tuple[RowReader, Iterator[Record]]:
    dialect = Dialect(job.encoding, job.delimiter)
    first = next(read_records(file, dialect))
    n_columns = len(first.cells)
    mapping = {int(column): name for column, name in job.mapping.items()}
    reader = RowReader(mapping, kinds, n_columns=n_columns, attested=job.consent_attested)
    start = Position(job.n_bytes_done, job.n_lines_done)
    if job.has_header and start == Position():
        start = first.end
    return reader, read_records(file, dialect, start=start, n_columns=n_columns)


def import_chunk(job: ImportJob, rows: list[Row], *, now: datetime) -> None:
    """The rows are written and the job stands behind them; raises LeaseLost, and then nothing has changed."""
    kept = [row for _, row in rows if isinstance(row, ImportRow)]
    counts = Counts(n_rows=len(rows), n_rejected=len(rows) - len(kept))
    end = rows[-1][0].end
    with transaction.atomic(), staging_cursor() as cursor:
        _change(job, lease_until=now + LEASE, n_bytes_done=end.offset, n_lines_done=end.n_lines)
        stage(cursor, _staged(job, kept))
        erased = [RejectedRow(line, "email", ERASED) for line in drop_erased(cursor)]
        counts.n_rejected += len(erased)
        _write_chunk(job, cursor, counts, n_staged=len(kept) - len(erased), now=now)
        _keep_rejected(job, rows, erased)
        _count(job, counts)


def _staged(job: ImportJob, rows: Iterable[ImportRow]) -> Iterator[StagedRow]:
    met = set()
    for line, patch, consent, consent_at in rows:
        key = patch.address.key
        is_first = key not in met
        met.add(key)
        yield StagedRow(line, patch, consent_at or job.created_at, consent, is_first)


def _write_chunk(job: ImportJob, cursor: Any, counts: Counts, *, n_staged: int, now: datetime) -> None:
    n_first = mark_duplicates(cursor, job.pk)
    written = write_contacts(cursor, now=now)
    counts.n_duplicates = n_staged - n_first
    counts.n_created, counts.n_updated = written.n_created, written.n_updated
    counts.n_unchanged = n_first - written.n_created - written.n_updated
    if job.mailing_list_id is not None:
        counts.n_subscribed, counts.n_suppressed = subscribe_staged(cursor, job, now=now)
        counts.n_unsubscribed = unsubscribe_staged(cursor, job, now=now)


def _keep_rejected(job: ImportJob, rows: list[Row], erased: list[RejectedRow]) -> None:
    cells = {record.line: record.cells for record, _ in rows}
    rejected = [row for _, row in rows if isinstance(row, RejectedRow)] + erased
    ImportRejectedRow.objects.bulk_create(
        [
            ImportRejectedRow(
                job=job,
                line_number=row.line,
                field=row.field,
                reason=row.reason,
                cells=[cell.replace("\0", "")[:MAX_RAW] for cell in cells[row.line]],
            )
            for row in rejected
        ],
        batch_size=1000,
    )


def _count(job: ImportJob, counts: Counts) -> None:
    ImportJob.objects.filter(pk=job.pk).update(**{name: F(name) + value for name, value in asdict(counts).items()})


def _change(job: ImportJob, **values: Any) -> None:
    """One conditional update under the job's fence."""
    held = ImportJob.objects.filter(pk=job.pk, fence=job.fence, state=ImportJob.State.RUNNING)
    if not held.update(**values):
        raise LeaseLost(f"import {job.pk}")


def finish_import(job: ImportJob, *, now: datetime) -> None:
    """The job is finished; its file and what it remembered of addresses are gone."""
    with transaction.atomic():
        _change(job, state=ImportJob.State.FINISHED, finished_at=now, lease_until=None)
        ImportedAddress.objects.filter(job=job).delete()
    job.file.delete(save=False)


def fail_import(job: ImportJob, problem: str, *, now: datetime) -> None:
    """The job stopped for a reason that waiting does not mend; the file stays, so that it can be continued."""
    _change(job, state=ImportJob.State.FAILED, problem=problem, finished_at=now, lease_until=None)
