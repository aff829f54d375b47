"""What every test may ask for: the time, a clean Redis, servers to kill, a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker
from redis import Redis

from deploy import embedded
from tests.embedded_servers import temporary_servers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pytest_configure() -> None:
    """Settings that only tests want; what child processes need too is in the environment (embedded_servers.py)."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # PBKDF2 takes 0.3 s per login
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # needs no collectstatic
    }


@pytest.fixture(scope="session")
def now() -> datetime:
    """The time of all tests that do not name another."""
    return NOW


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's, without what its DROP DATABASE would refuse: sessions that threads still hold at the end."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.close()  # Playwright's loop gives this thread another connection than the one Django closes


@pytest.fixture(autouse=True)
def partitioned_tables_are_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Django's flush after a transactional test leaves out what no migration of its own manages."""
    yield
    marker = request.node.get_closest_marker("django_db")
    committed = marker is not None and marker.kwargs.get("transaction")
    if committed or {"transactional_db", "live_server"} & set(request.fixturenames):
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE delivery_message, delivery_outcome, delivery_event")


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A client of this worker's own Redis database, empty at the start of the test."""
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def own_servers() -> Iterator[embedded.Servers]:
    """A PostgreSQL and a Redis of the module's own, to be stopped, restarted and killed."""
    with temporary_servers() as servers:
        yield servers
