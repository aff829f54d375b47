"""Step 2 of the wizard: sender, subject and design, with the preview beside them and a test send."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from campaigns.compiling import source_of
from campaigns.errors import WrongState
from campaigns.forms import ContentForm, TestSendForm
from campaigns.merging import field_choices
from campaigns.models import Campaign, Variant
from campaigns.previewing import Reader, find_reader, make_preview
from campaigns.readiness import Step
from campaigns.registry import delivery
from campaigns.services import save_content
from campaigns.services.drafting import ContentDraft
from campaigns.starters import find_design
from campaigns.views.designs import design_choices
from campaigns.views.pages import posted
from campaigns.views.previews import posted_source, preview_context_of
from campaigns.views.wizard import find_campaign, locked, render_step, save_step, step_url

RESULTS = "test_results"
FIELDS = ("subject", "preheader", "from_name", "from_email", "reply_to", "markup", "body", "text")


@permission_required("campaigns.change_campaign", raise_exception=True)
def content_step(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Step 2: what it says. Its buttons save and go on, take another design, or send a test."""
    campaign = find_campaign(campaign_id)
    if (elsewhere := locked(request, campaign)) is not None:
        return elsewhere
    variant = get_object_or_404(Variant, campaign=campaign, name=request.GET.get("variant", "A"))
    form = ContentForm(posted(request), instance=variant, brand=campaign.brand)
    if request.method != "POST" or not form.is_valid():
        return _page(request, campaign, variant, form)
    draft = ContentDraft(**{name: form.cleaned_data[name] for name in FIELDS})
    if request.POST.get("then") == "design":
        design = find_design(request.POST.get("start", ""), campaign.brand)
        draft = replace(draft, markup=design.markup, body=design.body, text=design.text)
    if request.POST.get("then") == "test":
        return _send_test(request, campaign, variant, draft)
    following = Step.CONTENT if request.POST.get("then") == "design" else Step.SCHEDULE
    save = partial(save_content, campaign.pk, variant.pk, draft, now=timezone.now())
    return save_step(request, campaign, Step.CONTENT, save, following=following)


def _page(request: HttpRequest, campaign: Campaign, variant: Variant, form: ContentForm) -> HttpResponse:
    source = posted_source(request) if request.method == "POST" else source_of(variant)
    preview_as = request.POST.get("preview_as") or request.GET.get("preview_as", "")
    reader = Reader(campaign.brand, find_reader(preview_as), campaign.name)
    preview = make_preview(source, reader, now=timezone.now())
    address = getattr(request.user, "email", "")
    context: dict[str, Any] = {
        "form": form,
        "test_form": TestSendForm(
            request.POST if request.POST.get("then") == "test" else None, initial={"to": address}
        ),
        "results": request.session.pop(RESULTS, []),
        "variant": variant,
        "fields": field_choices(),
        "choices": design_choices(brand=campaign.brand),
        "preview": preview_context_of(preview),
        "preview_as": preview_as,
        "preview_url": reverse("admin:campaigns_campaign_preview", args=[campaign.pk]),
    }
    return render_step(request, campaign, Step.CONTENT, context)


def _send_test(request: HttpRequest, campaign: Campaign, variant: Variant, draft: ContentDraft) -> HttpResponse:
    """Save, send, and come back with the answers: they wait in the session, so that a reload sends nothing again."""
    test_form = TestSendForm(request.POST)
    if not test_form.is_valid():
        return _page(request, campaign, variant, ContentForm(request.POST, instance=variant, brand=campaign.brand))
    try:
        save_content(campaign.pk, variant.pk, draft, now=timezone.now())
    except WrongState as error:
        messages.error(request, f"Nothing was saved or sent. {error}")
        return redirect("admin:campaigns_campaign_change", campaign.pk)
    reader = find_reader(request.POST.get("preview_as", ""))
    to = test_form.cleaned_data["to"]
    results = delivery().send_test(variant.pk, contact_id=reader.pk if reader else None, to=to)
    request.session[RESULTS] = [asdict(result) for result in results]
    query = urlencode({"preview_as": request.POST.get("preview_as", "")})
    return redirect(f"{step_url(Step.CONTENT, campaign.pk)}?{query}")
