"""Steps that both the demo and the smoke test take before their processes start."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from deploy.demo.ports import Ports

READY_SECONDS = 90.0


def migrate() -> None:
    """All tables are there."""
    call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """The pages' files are in STATIC_ROOT with hashed names, unless nothing changed since the last time."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    sources = (path for root in settings.STATICFILES_DIRS for path in Path(root).rglob("*"))
    if manifest.is_file() and manifest.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    call_command("collectstatic", verbosity=0, interactive=False)


def ensure_admin(password: str) -> Any:
    """The user `admin` exists; one who is there keeps the password he has."""
    users = get_user_model()
    admin = users.objects.filter(username="admin").first()
    return admin or users.objects.create_superuser("admin", "admin@willow.example", password)


def wait_until_ready(ports: Ports, *, meanwhile: Callable[[], object]) -> None:
    """Returns when pages, catcher and intake answer; raises TimeoutError after 90 seconds, naming what does not."""
    waiting: dict[str, Callable[[], bool]] = {
        "the catcher": lambda: _listens(ports.smtp),
        "the intake": lambda: _listens(ports.intake),
        "web": lambda: _serves(ports.web),
    }
    until = time.monotonic() + READY_SECONDS
    while waiting := {name: answers for name, answers in waiting.items() if not answers()}:
        if time.monotonic() > until:
            raise TimeoutError(f"{', '.join(waiting)} did not answer within {READY_SECONDS:.0f} seconds.")
        meanwhile()
        time.sleep(0.2)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def _serves(port: int) -> bool:
    """The pixel answers: Django is loaded and Redis is asked for nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/o/not-a-token")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
