"""Which addresses have answers of their own while PostgreSQL is away."""

from __future__ import annotations

from delivery.urls import urlpatterns
from deploy.outages import READERS


def test_every_address_that_readers_press_is_left_alone() -> None:
    ours = {f"/{route}" for route in (str(found.pattern) for found in urlpatterns) if not route.startswith("^hooks/")}
    assert len(ours) == len(READERS)
    assert all(address.startswith(READERS) for address in ours)
