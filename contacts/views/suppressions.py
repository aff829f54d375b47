"""Suppressing by hand or by file, and lifting."""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from contacts.addresses import Address, normalise_address
from contacts.errors import ContactsError, NotWanted
from contacts.forms.suppressions import LiftForm, SuppressFileForm, SuppressForm
from contacts.imports.preview import UnusableFile, guess, guess_dialect, look_into
from contacts.imports.records import read_records
from contacts.imports.sniff import refuse, sniff_encoding
from contacts.models import Suppression
from contacts.services import lift_suppression, suppress_address, suppress_addresses
from contacts.views.pages import changelist, render_page

# What the evidence of a suppression is called on its page.
EVIDENCE = {
    "by": "Suppressed by",
    "note": "Note",
    "file": "File",
    "reply": "The server said",
    "words": "The report said",
    "n_soft_bounces": "Soft bounces",
    "first": "The first one",
    "last": "The last one",
    "role": "Role",
    "campaign": "Campaign number",
    "receipt": "Receipt number",
    "account": "Provider account number",
    "rule": "Decided by the rule",
    "rules_version": "of the rules' version",
}
MAX_ROWS = 100_000
SOURCE = "admin"
may_add = permission_required("contacts.add_suppression", raise_exception=True)


@may_add
def suppress(request: HttpRequest) -> HttpResponse:
    """Suppress one address."""
    form = SuppressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        address: Address = chosen["email"]
        is_new = suppress_address(
            address.key,
            address.address,
            reason=chosen["reason"],
            source=SOURCE,
            evidence={"note": chosen["note"], "by": request.user.pk},
            brand_id=chosen["brand"].pk if chosen["brand"] else None,
            mailing_list_id=chosen["mailing_list"].pk if chosen["mailing_list"] else None,
            now=timezone.now(),
        )
        words = "gets no more mail." if is_new else "was suppressed already."
        messages.success(request, f"{address.email} {words}")
        return redirect(changelist(Suppression))
    return render_page(
        request, "contacts/suppress.html", {"form": form}, title="Suppress an address", under=Suppression
    )


@may_add
def suppress_file(request: HttpRequest) -> HttpResponse:
    """Suppress the addresses of a file."""
    form = SuppressFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            addresses, n_bad = _addresses(cast("UploadedFile[Any]", form.cleaned_data["file"]))
        except NotWanted as error:
            form.add_error("file", str(error))
        else:
            brand = form.cleaned_data["brand"]
            n_new = suppress_addresses(
                addresses,
                reason=form.cleaned_data["reason"],
                source=SOURCE,
                brand_id=brand.pk if brand else None,
                evidence={"file": str(form.cleaned_data["file"].name)[:200], "by": request.user.pk},
                now=timezone.now(),
            )
            messages.success(
                request, f"{n_new:,} addresses get no more mail; {len(addresses) - n_new:,} did not before."
            )
            if n_bad:
                messages.warning(request, f"{n_bad:,} rows hold no usable address and were left out.")
            return redirect(changelist(Suppression))
    return render_page(
        request, "contacts/suppress_file.html", {"form": form}, title="Suppress a file", under=Suppression
    )


def _addresses(upload: UploadedFile[Any]) -> tuple[list[Address], int]:
    """The distinct usable addresses of a file, and how many rows had none; raises NotWanted."""
    if problem := refuse(upload.read(1 << 16)):
        raise NotWanted(problem)
    upload.seek(0)
    file = cast("BinaryIO", upload.file)
    dialect = guess_dialect(file, sniff_encoding(file, ""))
    try:
        look = look_into(file, dialect)
    except UnusableFile as error:
        raise NotWanted(str(error)) from error
    column = next((number for number, name in guess(look, {}).items() if name == "email"), None)
    if column is None:
        raise NotWanted("No column holds email addresses.")
    records = list(islice(read_records(file, dialect), MAX_ROWS + 2))[look.has_header :]
    if len(records) > MAX_ROWS:
        raise NotWanted(f"The file has more than {MAX_ROWS:,} rows: cut it into several.")
    found = [normalise_address(record.cells[column]) if column < len(record.cells) else None for record in records]
    usable = [address for address in found if isinstance(address, Address)]
    return list({address.key: address for address in usable}.values()), len(found) - len(usable)


@permission_required("contacts.change_suppression", raise_exception=True)
def show_suppression(request: HttpRequest, suppression_id: int) -> HttpResponse:
    """A suppression with its evidence; posting a note lifts it."""
    suppression = get_object_or_404(
        Suppression.objects.select_related("brand", "mailing_list", "lifted_by"), pk=suppression_id
    )
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            lift_suppression(suppression.pk, by=request.user, note=form.cleaned_data["note"], now=timezone.now())
        except ContactsError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The suppression was lifted. Subscriptions are as they were.")
        return redirect(changelist(Suppression))
    context = {"suppression": suppression, "form": form, "facts": _facts(suppression)}
    return render_page(request, "contacts/suppression.html", context, title="Suppression", under=Suppression)


def _facts(suppression: Suppression) -> list[tuple[str, Any]]:
    """The evidence in words, the most telling first; what has no word of its own keeps its name."""
    known: dict[str, Any] = dict(suppression.evidence)
    if "by" in known:
        user = get_user_model()._default_manager.filter(pk=known["by"]).first()
        known["by"] = user or "somebody who is gone"
    words = [(EVIDENCE[name], known.pop(name)) for name in EVIDENCE if known.get(name) not in (None, "")]
    return [
        *words,
        *((name, value) for name, value in known.items() if value not in (None, "") and name not in EVIDENCE),
    ]
