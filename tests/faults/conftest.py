"""The stage of a module: its servers, and workers that stay up between its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from deploy import embedded
from tests.faults.stage import Stage, staged


@pytest.fixture(scope="module")
def theatre(
    own_servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Stage]:
    """Migrated servers of the module's own; no worker yet."""
    with django_db_blocker.unblock(), staged(own_servers, tmp_path_factory.mktemp("faults")) as stage:
        yield stage


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """Beat, one worker for everything but sending, and one with two processes for sending."""
    for worker in (theatre.start_ticking(), theatre.start_sending()):
        worker.wait_until_ready()
    return theatre
