"""A whole installation for one test: pages, a real worker with its clock, an SMTP server, and a marketer's browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from tests.delivery.smtp.scripted import ScriptedServer, in_thread

ROOT = Path(__file__).resolve().parent.parent.parent
UNDO_SECONDS = 1
PATIENCE_MS = 60_000  # a worker starts in 3 s, on a busy machine in 30


@pytest.fixture
def sink() -> Iterator[ScriptedServer]:
    """The server that all mail of the test goes to."""
    with in_thread(ScriptedServer()) as server:
        yield server


@pytest.fixture
def site(live_server: LiveServer, settings: Settings, redis: Redis) -> str:
    """The address of the pages, which mail links to as well."""
    settings.DEMO = True  # a loopback address has no https
    settings.PUBLIC_ORIGIN = live_server.url
    settings.UNDO_SECONDS = UNDO_SECONDS
    return str(live_server.url)


@pytest.fixture
def worker(site: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One process that does everything but pages: all queues, and beat."""
    options = ("-Q", "send,plan,events,care", "-c", "3", "-l", "WARNING", "--without-gossip", "--without-mingle")
    command = [sys.executable, "-m", "celery", "-A", "deploy", "worker", "-B", "-s", str(tmp_path / "beat"), *options]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(site), stdout=log, stderr=log, start_new_session=True
        )
    yield process
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(site: str) -> dict[str, str]:
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return os.environ | {
        "DATABASE_URL": database.geturl(),
        "FANFARE_DEMO": "1",
        "PUBLIC_ORIGIN": site,
        "UNDO_SECONDS": str(UNDO_SECONDS),
    }


@pytest.fixture
def desk(page: Page, site: str) -> Iterator[Page]:
    """Maria's browser, logged in; a page that breaks its own rules or scripts fails the test."""
    complaints: list[str] = []
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error.stack}"))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    User.objects.create_superuser("maria", "maria@example.com", "pw")
    page.goto(f"{site}/admin/login/")
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("pw")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    yield page
    page.goto("about:blank")  # a report asks for itself every few seconds
    expect.set_options(timeout=5_000)
    assert complaints == []
