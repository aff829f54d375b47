"""What the tests of campaigns share: a delivery that answers from a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from campaigns import registry
from campaigns.registry import FakeDelivery, register_delivery


@pytest.fixture
def delivery() -> Iterator[FakeDelivery]:
    """A fake that finds nothing wrong and keeps what it was asked to send; the real one is back afterwards."""
    real, fake = registry.delivery(), FakeDelivery()
    register_delivery(fake)
    yield fake
    register_delivery(real)
