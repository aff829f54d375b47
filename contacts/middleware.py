"""A page in words wherever stored secrets cannot be read, in place of a server error."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from contacts.encryption import WrongKey

log = structlog.get_logger()


class WrongKeyMiddleware:
    """503 with what is wrong and what helps: providers and stores repeat their calls until the key is back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do before or after."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Other exceptions stay what they are."""
        if not isinstance(problem, WrongKey):
            return None
        log.error("secrets cannot be read", path=request.path)
        user = getattr(request, "user", None)
        staff = user is not None and user.is_staff
        return render(request, "wrong_key.html", {"words": str(problem) if staff else ""}, status=503)
