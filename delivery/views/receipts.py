"""One receipt: what came, exactly as it came, what it says by today's rules, and what came of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.views.pages import render_page
from contacts.encryption import WrongKey
from delivery.models import Event, Receipt
from delivery.services.calls import read_call
from delivery.services.mails import read_mail
from delivery.services.receiving import UNREADABLE, process_group, read_again
from delivery.views.crumbs import receipt_crumbs

may_see = permission_required("delivery.view_receipt", raise_exception=True)
may_change = permission_required("delivery.change_receipt", raise_exception=True)

SHOWN = 100_000


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of a receipt as a line of the page."""

    kind: str
    about: str
    words: str
    known: bool


@require_GET
@may_see
def receipt(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """The page of a receipt."""
    found = get_object_or_404(_with_account(), pk=receipt_id)
    raw = bytes(found.body)
    context = {
        "receipt": found,
        "text": raw[:SHOWN].decode("utf-8", "replace"),
        "n_bytes": len(raw),
        "cut": len(raw) > SHOWN,
        "said": _said(found),
        "events": Event.objects.filter(receipt_id=found.pk).order_by("occurred_at")[:100],
    }
    title = f"{found.get_kind_display()} {found.pk}"
    return render_page(request, "delivery/receipt.html", context, title=title, crumbs=receipt_crumbs())


@require_GET
@may_see
def raw_body(_request: HttpRequest, receipt_id: int) -> HttpResponse:
    """The bytes, as a file: a browser must not make anything of them."""
    found = get_object_or_404(Receipt, pk=receipt_id)
    suffix = "eml" if found.kind == Receipt.Kind.MAIL else "txt"
    response = HttpResponse(bytes(found.body), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{found.pk}.{suffix}"'
    return response


@require_POST
@may_change
def process_again(request: HttpRequest, receipt_id: int) -> HttpResponse:
    """The receipt is read once more, now: its events are replaced by what it says by today's rules."""
    found = get_object_or_404(Receipt.objects.defer("body"), pk=receipt_id)
    read_again(Receipt.objects.filter(pk=found.pk))
    Receipt.objects.filter(pk=found.pk, processed_at=None).update(due_at=None)
    process_group([found.pk], timezone.now())
    found.refresh_from_db(fields=["problem", "n_events", "n_unmatched"])
    if found.problem:
        messages.error(request, f"It still cannot be read: {found.problem}")
    else:
        messages.success(request, f"Read again: {found.n_events} events, {found.n_unmatched} about other mail.")
    return redirect(reverse("admin:delivery_receipt_change", args=[found.pk]))


def _with_account() -> QuerySet[Receipt]:
    """Without the account's secrets: a wrong key must not close the page."""
    return Receipt.objects.select_related("account").defer("account__secrets", "account__hook_secrets")


def _said(found: Receipt) -> list[Said]:
    if found.kind == Receipt.Kind.MAIL:
        with contextlib.suppress(*UNREADABLE):
            return [
                Said(one.report.kind, one.report.recipient, one.report.diagnostic or one.report.notice, bool(one.ref))
                for one in read_mail(found)
            ]
        return []
    with contextlib.suppress(*UNREADABLE, ValueError, WrongKey):
        return [
            Said(one.event.kind, one.event.recipient, one.event.reply or one.event.url, bool(one.ref or one.clue))
            for one in read_call(found)
        ]
    return []
