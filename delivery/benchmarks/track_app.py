"""The web process that `bench track` loads: the application, or with BENCH_NO_WRITE the same without the write."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
application = get_wsgi_application()

if os.environ.get("BENCH_NO_WRITE"):
    from delivery.tracking import views

    class _Nowhere:
        def write(self, _entry: bytes) -> bool:
            """Takes the entry and forgets it."""
            return True

    views.hits = _Nowhere  # type: ignore[assignment]
