"""Templates: the gallery, a new one, the editor."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from campaigns.content.source import Source
from campaigns.forms import NewTemplateForm, TemplateForm
from campaigns.merging import field_choices
from campaigns.models import Template
from campaigns.previewing import Reader, make_preview
from campaigns.services import create_template
from campaigns.starters import find_design, find_starter, starters
from campaigns.views.pages import home_crumbs, posted, render_page, template_crumbs
from campaigns.views.previews import preview_context_of
from contacts.models import Brand


@dataclass(frozen=True, slots=True)
class DesignChoice:
    """One card of a gallery to choose from; `value` is what campaigns.starters.find_design takes."""

    value: str
    name: str
    note: str
    show_url: str = ""
    chosen: bool = False


def design_choices(*, chosen: str = "", brand: Brand | None = None) -> list[DesignChoice]:
    """Return what a message can start from: own templates (of one brand, or all), shipped designs, nothing."""
    templates = Template.objects.select_related("brand").defer("body", "text").order_by("-updated_at")
    if brand is not None:
        templates = templates.filter(brand=brand)
    found = [("template", str(own.pk), own.name, "Your template", "show") for own in templates]
    found += [("starter", one.key, one.name, "Ships with Fanfare", "starter") for one in starters()]
    choices = [
        DesignChoice(
            f"{kind}:{key}",
            name,
            note,
            reverse(f"admin:campaigns_template_{view}", args=[key]),
            f"{kind}:{key}" == chosen,
        )
        for kind, key, name, note, view in found
    ]
    return [*choices, DesignChoice("blank", "Blank", "Write it yourself", chosen=chosen in {"", "blank"})]


@permission_required("campaigns.view_template", raise_exception=True)
def template_list(request: HttpRequest) -> HttpResponse:
    """All stored designs as small pictures, and the shipped ones below."""
    templates = Template.objects.select_related("brand").defer("body", "text").order_by("-updated_at")
    context = {
        "templates": templates,
        "starters": starters(),
        "has_brand": Brand.objects.exists(),
        "many_brands": Brand.objects.count() > 1,
    }
    return render_page(request, "campaigns/template_list.html", context, title="Templates", crumbs=home_crumbs())


@permission_required("campaigns.add_template", raise_exception=True)
def new_template(request: HttpRequest) -> HttpResponse:
    """A new design from a shipped one or from nothing; `start` in the address says which."""
    start = request.POST.get("start") or request.GET.get("start", "")
    if not Brand.objects.exists():
        messages.info(request, "A template belongs to a brand. Set up your brand first.")
        return redirect("admin:contacts_brand_add")
    starter = find_starter(start.partition(":")[2])
    form = NewTemplateForm(posted(request), initial={"start": start, "name": starter.name if starter else ""})
    if request.method == "POST" and form.is_valid():
        brand = form.cleaned_data["brand"]
        template = create_template(brand, name=form.cleaned_data["name"], design=find_design(start, brand))
        return redirect("admin:campaigns_template_change", template.pk)
    context = {"form": form, "starter": starter, "one_brand": Brand.objects.count() == 1}
    return render_page(request, "campaigns/template_new.html", context, title="New template", crumbs=template_crumbs())


@permission_required("campaigns.view_template", raise_exception=True)
def edit_template(request: HttpRequest, template_id: int) -> HttpResponse:
    """The editor: source, live preview, problems."""
    template = get_object_or_404(Template.objects.select_related("brand"), pk=template_id)
    may_change = request.user.has_perm("campaigns.change_template")
    form = TemplateForm(request.POST if may_change and request.method == "POST" else None, instance=template)
    if form.is_valid():
        form.save()
        messages.success(request, f"“{template}” is saved.")
        return redirect("admin:campaigns_template_change", template.pk)
    source = Source("html" if template.markup == "html" else "mjml", template.body, template.name, text=template.text)
    preview = make_preview(source, Reader(template.brand, campaign_name="Preview"), now=timezone.now())
    context = {
        "template": template,
        "form": form,
        "may_change": may_change,
        "fields": field_choices(),
        "preview": preview_context_of(preview, skip=("subject",)),
        "preview_url": reverse("admin:campaigns_template_preview", args=[template.pk]),
    }
    return render_page(request, "campaigns/template_edit.html", context, title=template.name, crumbs=template_crumbs())
