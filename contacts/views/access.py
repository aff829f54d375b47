"""Making and revoking API keys."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from contacts.errors import ContactsError
from contacts.forms.access import ApiKeyForm
from contacts.models import ApiKey, Brand
from contacts.services import create_api_key, revoke_api_key
from contacts.views.pages import page_of, render_page


@permission_required("contacts.add_apikey", raise_exception=True)
def new_api_key(request: HttpRequest) -> HttpResponse:
    """Make a key; the answer to the form is the only page that ever shows it."""
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        key, text = create_api_key(
            form.cleaned_data["brand"], form.cleaned_data["name"], expires_at=form.cleaned_data["expires_at"]
        )
        page = render_page(
            request, "contacts/api_key_made.html", {"key": key, "text": text}, title="Your new API key", under=ApiKey
        )
        page["Cache-Control"] = "no-store"
        return page
    context: dict[str, forms.Form | bool] = {"form": form, "has_brand": Brand.objects.exists()}
    return render_page(request, "contacts/api_key_new.html", context, title="New API key", under=ApiKey)


@permission_required("contacts.view_apikey", raise_exception=True)
def show_api_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """What is known of a key; not the key."""
    key = get_object_or_404(ApiKey.objects.select_related("brand"), pk=key_id)
    context = {"key": key, "is_over": key.expires_at is not None and key.expires_at <= timezone.now()}
    return render_page(request, "contacts/api_key.html", context, title=key.name, under=ApiKey)


@require_POST
@permission_required("contacts.change_apikey", raise_exception=True)
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """The key opens nothing any more."""
    key = get_object_or_404(ApiKey, pk=key_id)
    try:
        revoke_api_key(key, now=timezone.now())
    except ContactsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The key was revoked.")
    return redirect(page_of(key))
