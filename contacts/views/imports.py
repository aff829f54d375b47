"""Importing a file: upload, columns with a preview, progress, result, rejected rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.text import get_valid_filename
from django.views.decorators.http import require_GET, require_POST

from contacts.errors import ContactsError, NotWanted
from contacts.forms.imports import ColumnsForm, UploadForm
from contacts.imports.preview import Look, UnusableFile, guess, look_into, preview_rows
from contacts.imports.records import Dialect, read_records
from contacts.imports.roles import Roles, count_roles
from contacts.imports.rows import AGREED, WITHDRAWN, RejectedRow
from contacts.imports.sniff import DELIMITERS, ENCODINGS
from contacts.models import Brand, ContactField, ImportJob, ImportRejectedRow
from contacts.queries import role_params
from contacts.services.imports import NEW_FIELD, cancel_import, continue_import, queue_import, receive_upload
from contacts.views.pages import page_of, render_page

N_REJECTED_SHOWN = 100
SAYS = {AGREED: "Agreed", WITHDRAWN: "Unsubscribed"}
may_import = permission_required("contacts.add_importjob", raise_exception=True)
may_look = permission_required("contacts.view_importjob", raise_exception=True)


@may_import
def upload(request: HttpRequest) -> HttpResponse:
    """The first page: choose a file."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = cast("UploadedFile[Any]", form.cleaned_data["file"])
        try:
            return redirect(page_of(receive_upload(form.cleaned_data["brand"], file, user=request.user)))
        except NotWanted as error:
            form.add_error("file", str(error))
    context = {"form": form, "has_brand": Brand.objects.exists()}
    return render_page(request, "contacts/import_upload.html", context, title="Import contacts", under=ImportJob)


@may_look
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """The page that fits the job's state: its columns to choose, its progress, or its result."""
    job = get_object_or_404(ImportJob.objects.select_related("brand", "mailing_list", "created_by"), pk=job_id)
    if job.state == ImportJob.State.UPLOADED:
        return _columns(request, job)
    rejected = list(job.rejected_rows.all()[: N_REJECTED_SHOWN + 1])
    context = {
        "job": job,
        "rejected": rejected[:N_REJECTED_SHOWN],
        "has_more": len(rejected) > N_REJECTED_SHOWN,
        "mapping": _mapping_in_words(job),
        "mapping_columns": ("Column", "Field"),
    }
    page = render_page(request, "contacts/import_job.html", context, title=job.file_name, under=ImportJob)
    if not job.is_under_way and "HX-Request" in request.headers:
        page["HX-Refresh"] = "true"  # the job has ended since the last poll: the buttons above it change too
    return page


def _mapping_in_words(job: ImportJob) -> list[tuple[str, str]]:
    names = dict(job.mapping)
    return [(header, names[str(number)]) for number, header in enumerate(job.headers) if str(number) in names]


@may_import
def _columns(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Choose the columns; only the start button changes anything."""
    dialect, has_header = _wanted_reading(request, job)
    try:
        with job.file.open("rb") as file:
            look = look_into(cast("BinaryIO", file), dialect, has_header=has_header)
        problem = ""
    except UnusableFile as error:
        look, problem = Look([], has_header, []), str(error)
    form = ColumnsForm(_form_data(request, look), job=job, headers=look.headers, initial=_initial(job, look, dialect))
    signature = _signature(dialect, look.has_header)
    if request.POST.get("then") == "start" and not problem and form.is_valid():
        try:
            _start(job, form, is_seen=request.POST.get("signature") == signature)
            return redirect(page_of(job))
        except ContactsError as error:
            form.add_error(None, str(error))
    context = {
        "job": job,
        "form": form,
        "look": look,
        "problem": problem,
        "columns": [(field, look.samples(number)) for number, field in enumerate(form.column_fields())],
        "rows": _preview(look, form),
        "roles": _roles(job, form, dialect, look),
        "signature": signature,
    }
    return render_page(request, "contacts/import_columns.html", context, title="Choose columns", under=ImportJob)


def _roles(job: ImportJob, form: ColumnsForm, dialect: Dialect, look: Look) -> Roles:
    """What the suppression policy of the job's brand will say to the file's addresses."""
    column = next((number for number, name in form.mapping().items() if name == "email"), None)
    if column is None or not look.records:
        return Roles()
    with job.file.open("rb") as file:
        records = read_records(cast("BinaryIO", file), dialect, n_columns=len(look.headers))
        return count_roles(islice(records, int(look.has_header), None), column, role_params(job.brand_id)["role_names"])


def _start(job: ImportJob, form: ColumnsForm, *, is_seen: bool) -> None:
    if not is_seen:
        raise NotWanted("The file is read another way now: check the columns below, then start.")
    queue_import(job, form.choices())


def _wanted_reading(request: HttpRequest, job: ImportJob) -> tuple[Dialect, bool]:
    if request.method != "POST":
        return Dialect(job.encoding, job.delimiter), job.has_header
    encoding = request.POST.get("encoding", "")
    delimiter = request.POST.get("delimiter", "")
    dialect = Dialect(
        encoding if encoding in ENCODINGS else job.encoding, delimiter if delimiter in DELIMITERS else job.delimiter
    )
    return dialect, request.POST.get("has_header") == "on"


def _signature(dialect: Dialect, has_header: bool) -> str:
    """Names a way of reading: when it changes, the columns are guessed anew."""
    return f"{dialect.encoding}{dialect.delimiter}{has_header:d}"


def _form_data(request: HttpRequest, look: Look) -> Any:
    """What was posted; with fresh guesses for the columns if the file was read another way when they were shown."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    dialect = Dialect(data.get("encoding", ""), data.get("delimiter", ""))
    if data.get("signature") != _signature(dialect, look.has_header):
        mapping = guess(look, _custom_labels())
        for number in range(len(look.headers)):
            data[f"column_{number}"] = mapping.get(number, "")
    return data


def _custom_labels() -> dict[str, str]:
    return dict(ContactField.objects.values_list("key", "label"))


def _initial(job: ImportJob, look: Look, dialect: Dialect) -> dict[str, Any]:
    mapping = guess(look, _custom_labels())
    columns = {f"column_{number}": mapping.get(number, "") for number in range(len(look.headers))}
    reading = {"encoding": dialect.encoding, "delimiter": dialect.delimiter, "has_header": look.has_header}
    lists = list(job.brand.mailing_lists.all()[:2])
    # People on no list get no campaign, so that a first import without a list would be for nothing.
    where = {"new_list": "Newsletter"} if not lists else {"mailing_list": lists[0]} if len(lists) == 1 else {}
    return {**columns, **reading, **where}


def _preview(look: Look, form: ColumnsForm) -> list[dict[str, Any]]:
    """The first rows as they would come in; empty until the address column is chosen."""
    mapping = {number: name for number, name in form.mapping().items() if name != NEW_FIELD}
    if "email" not in mapping.values():
        return []
    kinds = dict(ContactField.objects.values_list("key", "kind"))
    rows = preview_rows(look, mapping, kinds, attested=form["attested"].value() in {True, "on"})
    return [_preview_row(record.line, row) for record, row in rows]


def _preview_row(line: int, row: Any) -> dict[str, Any]:
    if isinstance(row, RejectedRow):
        return {"line": line, "problem": f"{row.field}: {row.reason}" if row.field else row.reason}
    patch = row.patch
    return {
        "line": line,
        "email": patch.address.email,
        "name": f"{patch.first_name or ''} {patch.last_name or ''}".strip(),
        "place": ", ".join(part for part in (patch.city, patch.country) if part),
        "phone": patch.phone or "",
        "fields": ", ".join(f"{key}: {value}" for key, value in (patch.fields or {}).items()),
        "consent": SAYS.get(row.consent, "Not agreed"),
    }


@require_POST
@may_import
def cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Import nothing more."""
    job = get_object_or_404(ImportJob, pk=job_id)
    return _act(request, job, lambda: cancel_import(job, now=timezone.now()), "The import was cancelled.")


@require_POST
@may_import
def go_on(request: HttpRequest, job_id: int) -> HttpResponse:
    """Continue a failed import."""
    job = get_object_or_404(ImportJob, pk=job_id)
    return _act(request, job, lambda: continue_import(job), "The import goes on.")


def _act(request: HttpRequest, job: ImportJob, act: Any, done: str) -> HttpResponse:
    try:
        act()
    except ContactsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(page_of(job))


@require_GET
@may_look
def rejected_rows(_request: HttpRequest, job_id: int) -> StreamingHttpResponse:
    """The rejected rows as CSV with their reasons, to be mended and imported again."""
    job = get_object_or_404(ImportJob, pk=job_id)
    name = get_valid_filename(f"rejected-{job.file_name.rpartition('.')[0] or job.file_name}.csv")
    return StreamingHttpResponse(
        _csv_lines(job),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def _csv_lines(job: ImportJob) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(["Line", "Field", "Reason", *job.headers])
    rows = ImportRejectedRow.objects.filter(job=job).order_by("line_number")
    for row in rows.iterator(chunk_size=2000):
        yield writer.writerow([row.line_number, row.field, row.reason, *map(_harmless, row.cells)])


def _harmless(cell: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; an apostrophe before it makes it text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
