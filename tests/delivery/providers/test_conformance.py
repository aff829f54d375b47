"""Every provider module passes the conformance suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from delivery.providers import PROVIDERS
from delivery.providers.fakes import FAKES
from tests.delivery.providers.conformance import CHECKS


def test_every_provider_has_a_fake() -> None:
    assert sorted(FAKES) == sorted(PROVIDERS)


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(check: Callable[[str], None], kind: str) -> None:
    check(kind)
