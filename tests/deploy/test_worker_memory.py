"""What a worker that only sends must not load: every module costs memory in each of its processes."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("premailer", "mrml", "httpx2", "requests", "delivery.providers.catalog", "delivery.views", "deploy.urls")

LOADED = """
import sys
from deploy.celery import app
app.loader.import_default_modules()
import delivery.benchmarks.clocks
print(*sys.modules)
"""


def test_a_worker_loads_no_pages_no_content_pipeline_and_no_provider_apis() -> None:
    child = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    modules = set(child.stdout.split())

    assert "delivery.sending.worker" in modules
    assert [name for name in HEAVY if name in modules] == []
