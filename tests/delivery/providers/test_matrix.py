"""The committed feature matrix is the declared one."""

from __future__ import annotations

from pathlib import Path

from delivery.providers import PROVIDERS
from delivery.providers.matrix import document

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text() == document(), "run: python -m delivery.providers.matrix > docs/providers.md"


def test_every_provider_is_on_the_page() -> None:
    page = document()
    assert all(kind.label in page for kind in PROVIDERS.values())
