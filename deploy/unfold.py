"""What the admin theme asks of the installation: assets, sidebar, dashboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    """Fanfare's own stylesheet."""
    return static("fanfare/fanfare.css")


def script(request: HttpRequest) -> str:
    """Fanfare's own script."""
    return static("fanfare/fanfare.js")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar."""
    return []


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page shows."""
    return context
