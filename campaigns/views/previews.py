"""Previews: a source being written, as JSON for the page's script; a stored design, as a page for a small frame."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.compiling import source_of
from campaigns.content.source import Source
from campaigns.forms.design import as_written
from campaigns.models import Campaign, Template, Variant
from campaigns.previewing import Preview, Reader, find_reader, find_readers, in_dark_mode, make_preview
from campaigns.starters import find_starter
from contacts.models import Brand

N_SUGGESTIONS = 8
# What a design may load inside its frame; it runs nothing, submits nothing and is framed by our own pages only.
DESIGN_POLICY = (
    "default-src 'none'; img-src 'self' data: https:; style-src 'unsafe-inline'; font-src https: data:; "
    "frame-ancestors 'self'; sandbox"
)


def posted_source(request: HttpRequest) -> Source:
    """Return the source as the editor's form has it; parts that the form lacks are empty."""
    return Source(
        markup="html" if request.POST.get("markup") == "html" else "mjml",
        body=as_written(request.POST.get("body", "")),
        subject=request.POST.get("subject", ""),
        preheader=request.POST.get("preheader", ""),
        text=as_written(request.POST.get("text", "")),
    )


def preview_context_of(preview: Preview, *, dark: bool = False, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the editor shows: page, text, subject (None: keep what is there) and the problems outside `skip`."""
    copy = preview.copy
    html = None if copy is None else in_dark_mode(copy.html) if dark else copy.html
    return {
        "html": html,
        "text": copy and copy.text,
        "subject": copy and copy.subject,
        "problems": [problem for problem in preview.problems if problem.part not in skip],
    }


def _answer(request: HttpRequest, source: Source, reader: Reader, *, skip: tuple[str, ...] = ()) -> JsonResponse:
    preview = make_preview(source, reader, now=timezone.now())
    made = preview_context_of(preview, dark="preview_dark" in request.POST, skip=skip)
    made["problems"] = render_to_string("campaigns/preview_problems.html", {"preview": made})
    return JsonResponse(made)


@require_POST
@permission_required("campaigns.view_template", raise_exception=True)
def preview_template(request: HttpRequest, template_id: int) -> HttpResponse:
    """The template as it is being written, for the reader chosen."""
    template = get_object_or_404(Template.objects.select_related("brand"), pk=template_id)
    reader = Reader(template.brand, find_reader(request.POST.get("preview_as", "")), "Preview")
    source = posted_source(request)
    return _answer(request, source, reader, skip=("subject",))


@require_POST
@permission_required("campaigns.view_campaign", raise_exception=True)
def preview_content(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The campaign's content as it is being written, for the reader chosen."""
    campaign = get_object_or_404(Campaign.objects.select_related("brand"), pk=campaign_id)
    reader = Reader(campaign.brand, find_reader(request.POST.get("preview_as", "")), campaign.name)
    return _answer(request, posted_source(request), reader)


@require_GET
@permission_required("contacts.view_contact", raise_exception=True)
def suggest_readers(request: HttpRequest) -> HttpResponse:
    """Contacts whose address or name begins with what was typed, as options of a datalist."""
    found = find_readers(request.GET.get("preview_as", ""), limit=N_SUGGESTIONS)
    return HttpResponse(render_to_string("campaigns/reader_options.html", {"contacts": found}))


@require_GET
@permission_required("campaigns.view_template", raise_exception=True)
def show_template(_request: HttpRequest, template_id: int) -> HttpResponse:
    """A stored design as a page of its own, filled in for the made-up contact."""
    template = get_object_or_404(Template.objects.select_related("brand"), pk=template_id)
    source = Source("html" if template.markup == "html" else "mjml", template.body, template.name, text=template.text)
    return _page(source, template.brand)


@require_GET
@permission_required("campaigns.view_template", raise_exception=True)
def show_starter(_request: HttpRequest, key: str) -> HttpResponse:
    """A shipped design as a page of its own."""
    starter = find_starter(key)
    if starter is None:
        raise Http404
    brand = Brand.objects.first() or Brand(name="Your brand", postal_address="1 Example Street, Example City")
    source = Source("html" if starter.markup == "html" else "mjml", starter.body, starter.name)
    return _page(source, brand)


@require_GET
@permission_required("campaigns.view_campaign", raise_exception=True)
def show_variant(_request: HttpRequest, variant_id: int) -> HttpResponse:
    """A campaign's content as a page of its own, for the review."""
    variant = get_object_or_404(Variant.objects.select_related("campaign__brand"), pk=variant_id)
    return _page(source_of(variant), variant.campaign.brand)


def _page(source: Source, brand: Brand) -> HttpResponse:
    preview = make_preview(source, Reader(brand), now=timezone.now())
    if preview.copy is None:
        page: str = render_to_string("campaigns/no_preview.html", {"problems": preview.problems})
    else:
        page = preview.copy.html
    return HttpResponse(page, headers={"Content-Security-Policy": DESIGN_POLICY})
