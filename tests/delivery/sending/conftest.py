"""What tests of the send path may ask for."""

from __future__ import annotations

import pytest

from delivery.models import ShapingRule, SiteProfile


@pytest.fixture
def bare(transactional_db: None) -> None:
    """No profiles and rules but the test's own: those of the migration are there until a first test flushed them."""
    ShapingRule.objects.all().delete()
    SiteProfile.objects.all().delete()
