"""Gives the run its own PostgreSQL and Redis, before Django reads its settings (loaded by `-p` in pyproject.toml)."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy import embedded

SLOTS = embedded.PROJECT_VAR / "test"
N_REDIS_DATABASES = 16  # what a Redis has unless it was configured otherwise
SECRETS = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"only-for-tests-only-for-tests---").decode(),
}


@contextlib.contextmanager
def temporary_servers() -> Iterator[embedded.Servers]:
    """Servers for one user alone, without fsync, gone afterwards.

    Runs in the same checkout at the same time take different slots; what a killed run left in a slot goes first.
    """
    SLOTS.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _first_free_lock() as lock:
        directory = Path(lock.name).with_suffix("")
        if directory.exists():
            embedded.discard(directory)
        try:
            yield embedded.ensure_running(directory, durable=False)
        finally:
            embedded.discard(directory)
            shutil.rmtree(directory)


def _first_free_lock() -> IO[str]:
    for number in range(100):
        file = (SLOTS / f"{number}.lock").open("w")
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        file.close()
    raise pytest.UsageError(f"100 test runs hold the slots in {SLOTS}; are they alive?")


def redis_database_of_worker(url: str, number: int) -> str:
    """The Redis address with the database of worker `number`: 0 for a run without xdist, 1 for its first worker."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number % N_REDIS_DATABASES}"))


def _worker_number() -> int:
    found = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(found[1]) + 1 if found else 0


def _prepare_environment(stack: contextlib.ExitStack) -> None:
    """Afterwards the environment names servers, secrets and places for files; xdist workers inherit the servers."""
    if not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL"):
        os.environ.update(stack.enter_context(temporary_servers()).environment())
    if "REDIS_URL" in os.environ:
        os.environ["REDIS_URL"] = redis_database_of_worker(os.environ["REDIS_URL"], _worker_number())
    os.environ.update(SECRETS)
    files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fanfare-tests-")))
    for name in ("MEDIA_ROOT", "STATIC_ROOT"):
        (files / name).mkdir()
        os.environ[name] = str(files / name)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Runs before pytest-django's hook of this name, which imports the settings."""
    if early_config.known_args_namespace.help or early_config.known_args_namespace.version:
        return
    stack = contextlib.ExitStack()
    early_config.add_cleanup(stack.close)  # runs after Ctrl-C and broken conftests too, unlike pytest_unconfigure
    _prepare_environment(stack)
