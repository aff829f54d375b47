"""Readers' pages in the reader's language: the contact's where it is known, else the browser's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_from_request, get_supported_language_variant, override


def language_of(request: HttpRequest, locale: str = "") -> str:
    """One of settings.LANGUAGES: the nearest to the contact's locale, to the browser's wishes, or English."""
    try:
        return get_supported_language_variant(locale.replace("_", "-").lower())
    except LookupError:
        return get_language_from_request(request)


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    locale: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page in the reader's language."""
    with override(language_of(request, locale)):
        return render(request, template, context, status=status)
