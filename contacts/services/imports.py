"""Taking in an uploaded file, choosing its columns, cancelling and continuing its import."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from contacts.errors import NotWanted, WrongState
from contacts.fields import RESERVED_KEYS
from contacts.imports.headers import plain_words
from contacts.imports.preview import UnusableFile, guess_dialect, look_into
from contacts.imports.records import Dialect
from contacts.imports.sniff import refuse, rewritten, sniff_encoding
from contacts.models import Brand, ContactField, ImportedAddress, ImportJob, MailingList

HEAD = 1 << 16  # bytes
NEW_FIELD = "new"


@dataclass(frozen=True)
class ImportChoices:
    """What a person chose on the columns page; `mapping` is column number to field name, `field:<key>` or `new`."""

    dialect: Dialect
    has_header: bool
    mapping: dict[int, str]
    mailing_list: MailingList | None
    new_list: str
    attested: bool


def receive_upload(brand: Brand, upload: UploadedFile[Any], *, user: Any) -> ImportJob:
    """A new job that waits for its columns; raises NotWanted for a file from which nobody could be imported."""
    with _readable(upload) as file:
        dialect, has_header = _examine(file, brand.default_locale)
        file.seek(0, 2)
        job = ImportJob(
            brand=brand,
            file_name=(upload.name or "upload.csv")[:255],
            n_bytes=file.tell(),
            encoding=dialect.encoding,
            delimiter=dialect.delimiter,
            has_header=has_header,
            created_by=user,
        )
        file.seek(0)
        job.file.save(f"{uuid.uuid4().hex}.csv", File(cast("Any", file)), save=False)
    job.save()
    return job


def _readable(upload: UploadedFile[Any]) -> Any:
    """The upload as a seekable file of text lines."""
    head = upload.read(HEAD)
    if problem := refuse(head):
        raise NotWanted(problem)
    chunks: Iterator[bytes] = chain([head], iter(lambda: upload.read(HEAD), b""))
    copy = TemporaryFile()  # noqa: SIM115 (the caller closes it)
    for chunk in rewritten(head, chunks) or chunks:
        copy.write(chunk)
    return copy


def _examine(file: BinaryIO, locale: str) -> tuple[Dialect, bool]:
    file.seek(0)
    dialect = guess_dialect(file, sniff_encoding(file, locale))
    try:
        return dialect, look_into(file, dialect).has_header
    except UnusableFile as error:
        raise NotWanted(str(error)) from error


def queue_import(job: ImportJob, choices: ImportChoices) -> None:
    """The job waits for a worker with these choices; new fields and a new list are made.

    Raises NotWanted if the choices do not make sense, WrongState if the job no longer waits for them.
    """
    check_choices(choices)
    with job.file.open("rb") as file:
        look = look_into(cast("BinaryIO", file), choices.dialect, has_header=choices.has_header)
    with transaction.atomic():
        mapping = _with_new_fields(look.headers, choices.mapping)
        changed = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.UPLOADED).update(
            state=ImportJob.State.QUEUED,
            encoding=choices.dialect.encoding,
            delimiter=choices.dialect.delimiter,
            has_header=choices.has_header,
            headers=[header.replace("\0", "")[:200] for header in look.headers],
            mapping={str(column): name for column, name in mapping.items()},
            mailing_list=_list_to_join(job, choices),
            consent_attested=choices.attested,
        )
        if not changed:
            raise WrongState("This import has been started or cancelled already.")


def check_choices(choices: ImportChoices) -> None:
    """Raises NotWanted if nobody could be imported by these choices, or nobody may be."""
    names = [name for name in choices.mapping.values() if name != NEW_FIELD]
    if "email" not in names:
        raise NotWanted("Choose the column that holds the email address.")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise NotWanted(f"Two columns go into the same field: {', '.join(sorted(twice))}.")
    joins = choices.mailing_list is not None or bool(choices.new_list)
    if joins and "consent" not in names and not choices.attested:
        raise NotWanted(
            "To add people to a list, state that they agreed, or choose a column that says who did. "
            "Without either, import them into no list."
        )


def _list_to_join(job: ImportJob, choices: ImportChoices) -> MailingList | None:
    if not choices.new_list:
        return choices.mailing_list
    return MailingList.objects.get_or_create(brand=job.brand, name=choices.new_list)[0]


def _with_new_fields(headers: list[str], mapping: dict[int, str]) -> dict[int, str]:
    return {
        column: f"field:{_new_field(headers[column], column)}" if name == NEW_FIELD else name
        for column, name in mapping.items()
    }


def _new_field(header: str, column: int) -> str:
    """The key of a text field for a column: one that has this label, or a new one."""
    label = header.strip()[:100] or f"Column {column + 1}"
    known = ContactField.objects.filter(label=label).first()
    if known:
        return known.key
    stem = re.sub(r"[^a-z0-9]+", "_", plain_words(header)).strip("_")[:40] or f"column_{column + 1}"
    stem = stem if stem[0].isalpha() else f"field_{stem}"
    taken = RESERVED_KEYS | set(ContactField.objects.values_list("key", flat=True))
    key = next(key for key in chain([stem], (f"{stem}_{n}" for n in range(2, 1000))) if key not in taken)
    ContactField.objects.create(key=key, label=label)
    return key


def cancel_import(job: ImportJob, *, now: datetime) -> None:
    """The job imports nothing more, from the next chunk on; what it imported stays.

    Raises WrongState if it has ended.
    """
    open_states = [ImportJob.State.UPLOADED, ImportJob.State.QUEUED, ImportJob.State.RUNNING, ImportJob.State.FAILED]
    cancelled = ImportJob.objects.filter(pk=job.pk, state__in=open_states).update(
        state=ImportJob.State.CANCELLED, finished_at=now, lease_until=None
    )
    if not cancelled:
        raise WrongState("This import has ended already.")
    ImportedAddress.objects.filter(job=job).delete()
    job.file.delete(save=False)


def continue_import(job: ImportJob) -> None:
    """A failed job is queued again and goes on where it stopped; raises WrongState if it has not failed."""
    queued = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.FAILED).update(
        state=ImportJob.State.QUEUED, problem="", finished_at=None
    )
    if not queued:
        raise WrongState("Only a failed import can be continued.")
