"""Gives the run its own PostgreSQL and Redis, before Django reads its settings (loaded by `-p` in pyproject.toml)."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy import embedded

SLOTS = embedded.PROJECT_VAR / "test"
N_REDIS_DATABASES_OUTSIDE = 16  # what a Redis has unless it was configured otherwise
SECRETS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"only-for-tests-only-for-tests---").decode(),
}


class Run:
    """The servers of one pytest run. Runs in the same checkout at the same time take different slots."""

    def __init__(self) -> None:
        self._slot: IO[str] | None = None
        self._servers: embedded.Servers | None = None
        self._files: tempfile.TemporaryDirectory[str] | None = None

    def begin(self) -> None:
        """Start servers unless the environment names some; xdist workers inherit the addresses."""
        if not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL"):
            directory = self._take_a_slot()
            self._servers = embedded.ensure_running(directory, durable=False)
            os.environ.update(self._servers.environment())
        if "REDIS_URL" in os.environ:
            os.environ["REDIS_URL"] = redis_database_of_worker(os.environ["REDIS_URL"], _worker_number())
        self._files = tempfile.TemporaryDirectory(prefix="fanfare-tests-")
        os.environ.update(SECRETS)
        for name in ("MEDIA_ROOT", "STATIC_ROOT"):
            directory = Path(self._files.name) / name
            directory.mkdir()
            os.environ[name] = str(directory)

    def end(self) -> None:
        """Stop what `begin` started; the slot is free again."""
        if self._servers is not None:
            self._servers.stop()
        if self._slot is not None:
            self._slot.close()
        if self._files is not None:
            self._files.cleanup()

    def _take_a_slot(self) -> Path:
        SLOTS.mkdir(mode=0o755, parents=True, exist_ok=True)
        for number in range(100):
            file = (SLOTS / f"{number}.lock").open("w")
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._slot = file
                return SLOTS / str(number)
            file.close()
        raise pytest.UsageError(f"100 test runs hold the slots in {SLOTS}; are they alive?")


def redis_database_of_worker(url: str, number: int) -> str:
    """The Redis address with the database of worker `number`: 0 for a run without xdist, 1 for its first worker."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{number % N_REDIS_DATABASES_OUTSIDE}"))


def _worker_number() -> int:
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    found = re.fullmatch(r"gw(\d+)", name)
    return int(found[1]) + 1 if found else 0


_run = Run()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Runs before pytest-django's hook of this name, which imports the settings."""
    if not early_config.known_args_namespace.help and not early_config.known_args_namespace.version:
        early_config.add_cleanup(_run.end)  # runs after Ctrl-C and broken conftests too, unlike pytest_unconfigure
        _run.begin()
